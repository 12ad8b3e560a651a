//! The fixed parts of the page, and text made safe for it.

const std = @import("std");

/// Writes `value` so that it is text anywhere in HTML, attribute values included.
pub fn text(out: *std.Io.Writer, value: []const u8) !void {
    for (value) |byte| switch (byte) {
        '<' => try out.writeAll("&lt;"),
        '>' => try out.writeAll("&gt;"),
        '&' => try out.writeAll("&amp;"),
        '"' => try out.writeAll("&quot;"),
        else => try out.writeByte(byte),
    };
}

pub fn header(out: *std.Io.Writer, shop: []const u8) !void {
    try out.writeAll(
        \\<!doctype html>
        \\<html lang="en">
        \\<head>
        \\<meta charset="utf-8">
        \\<meta name="viewport" content="width=device-width, initial-scale=1">
        \\<title>
    );
    try text(out, shop);
    try out.writeAll(
        \\</title>
        \\<link rel="stylesheet" href="/static/shop.css">
        \\<link rel="icon" href="/static/lamp.svg">
        \\</head>
        \\<body>
        \\<header>
        \\<img src="/static/lamp.svg" alt="" width="48" height="48">
        \\<h1>
    );
    try text(out, shop);
    try out.writeAll(
        \\</h1>
        \\<form action="/search" method="get" role="search">
        \\<label for="q">Search</label>
        \\<input id="q" name="q" type="search" placeholder="reading lamp" maxlength="200">
        \\<button>Find</button>
        \\</form>
        \\</header>
        \\<main>
        \\
    );
}

pub const order_form_start =
    \\<section id="order">
    \\<h2>Order</h2>
    \\<form action="/order" method="post">
    \\<label for="sku">Product</label>
    \\<select id="sku" name="sku">
    \\
;

pub const order_form_end =
    \\</select>
    \\<label for="qty">Quantity</label>
    \\<input id="qty" name="qty" type="number" min="1" max="50" value="1">
    \\<label for="name">Name</label>
    \\<input id="name" name="name" autocomplete="name" required>
    \\<label for="email">E-mail</label>
    \\<input id="email" name="email" type="email" autocomplete="email" required>
    \\<label for="country">Country</label>
    \\<input id="country" name="country" value="DE" size="2" maxlength="2" pattern="[A-Z]{2}">
    \\<button>Order with obligation to pay</button>
    \\</form>
    \\</section>
    \\
;

pub const footer =
    \\<section>
    \\<h2>How we are doing</h2>
    \\<img class="chart" src="/chart/sales.svg" alt="Sales of each month by category" width="720" height="360">
    \\</section>
    \\</main>
    \\<footer><p>This page was written by a Zig program of its own, made for your request and gone since.</p></footer>
    \\</body>
    \\</html>
    \\
;
