//! GET /: the shop's page, made from /assets/products.json.

const std = @import("std");
const html = @import("html.zig");

const Product = struct {
    sku: []const u8,
    name: []const u8,
    description: []const u8,
    category: []const u8,
    price_cents: u32,
    stock: u32,
};

const max_file = 1 << 20;

/// Reads a file below one of the folders that the host has opened for this program.
fn readFile(init: std.process.Init, path: []const u8) ![]u8 {
    const arena = init.arena.allocator();
    var folder = path;
    while (std.mem.lastIndexOfScalar(u8, folder, '/')) |slash| {
        folder = if (slash == 0) "/" else path[0..slash];
        const rest = std.mem.trimStart(u8, path[folder.len..], "/");
        if (init.preopens.get(folder)) |found| switch (found) {
            .dir => |dir| return dir.readFileAlloc(init.io, rest, arena, .limited(max_file)),
            .file => {},
        };
        if (slash == 0) break;
    }
    return error.FileNotFound;
}

fn byCategory(_: void, a: Product, b: Product) bool {
    return std.mem.lessThan(u8, a.category, b.category);
}

fn writeProduct(out: *std.Io.Writer, product: Product) !void {
    try out.writeAll("<li class=\"product\">\n<h3>");
    try html.text(out, product.name);
    try out.writeAll("</h3>\n<p>");
    try html.text(out, product.description);
    try out.print("</p>\n<p class=\"price\">{d}.{d:0>2}&nbsp;€ ", .{ product.price_cents / 100, product.price_cents % 100 });
    if (product.stock == 0) {
        try out.writeAll("<span class=\"sold-out\">sold out</span>");
    } else {
        try out.writeAll("<a href=\"/price/");
        try html.text(out, product.sku);
        try out.writeAll("?country=DE\">with tax</a>");
    }
    try out.writeAll("</p>\n</li>\n");
}

fn writeProducts(out: *std.Io.Writer, products: []const Product) !void {
    var category: []const u8 = "";
    for (products) |product| {
        if (!std.mem.eql(u8, category, product.category)) {
            if (category.len > 0) try out.writeAll("</ul>\n</section>\n");
            category = product.category;
            try out.writeAll("<section>\n<h2>");
            try html.text(out, category);
            try out.writeAll("</h2>\n<ul class=\"products\">\n");
        }
        try writeProduct(out, product);
    }
    if (category.len > 0) try out.writeAll("</ul>\n</section>\n");
}

fn writeOptions(out: *std.Io.Writer, products: []const Product) !void {
    for (products) |product| {
        if (product.stock == 0) continue;
        try out.writeAll("<option value=\"");
        try html.text(out, product.sku);
        try out.writeAll("\">");
        try html.text(out, product.name);
        try out.writeAll("</option>\n");
    }
}

fn writePage(out: *std.Io.Writer, shop: []const u8, products: []const Product) !void {
    try out.writeAll("Content-Type: text/html; charset=utf-8\n\n");
    try html.header(out, shop);
    try writeProducts(out, products);
    try out.writeAll(html.order_form_start);
    try writeOptions(out, products);
    try out.writeAll(html.order_form_end);
    try out.writeAll(html.footer);
}

pub fn main(init: std.process.Init) !void {
    const text = try readFile(init, "/assets/products.json");
    const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true };
    const products = try std.json.parseFromSliceLeaky([]Product, init.arena.allocator(), text, options);
    std.mem.sort(Product, products, {}, byCategory);

    var buffer: [4096]u8 = undefined;
    var stdout: std.Io.File.Writer = .initStreaming(.stdout(), init.io, &buffer);
    try writePage(&stdout.interface, init.environ_map.get("SHOP_NAME") orelse "Shop", products);
    try stdout.interface.flush();
}
