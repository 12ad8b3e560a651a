//! Answers HTTP as a CGI program does: the request is in the environment and on standard input, the
//! answer goes to standard output as header lines, an empty line and the body.

const std = @import("std");

const max_body = 64 * 1024;

/// The decoded value of `key` in a query string.
fn queryValue(arena: std.mem.Allocator, query: []const u8, key: []const u8) !?[]const u8 {
    var pairs = std.mem.splitScalar(u8, query, '&');
    while (pairs.next()) |pair| {
        const equals = std.mem.findScalar(u8, pair, '=') orelse continue;
        if (!std.mem.eql(u8, pair[0..equals], key)) continue;
        const value = try arena.dupe(u8, pair[equals + 1 ..]);
        std.mem.replaceScalar(u8, value, '+', ' ');
        return std.Uri.percentDecodeInPlace(value);
    }
    return null;
}

pub fn main(init: std.process.Init) !void {
    const arena = init.arena.allocator();
    const environment = init.environ_map;

    var who: []const u8 = "world";
    if (std.mem.eql(u8, environment.get("REQUEST_METHOD") orelse "GET", "POST")) {
        var in_buffer: [4096]u8 = undefined;
        var stdin: std.Io.File.Reader = .initStreaming(.stdin(), init.io, &in_buffer);
        const body = try stdin.interface.allocRemaining(arena, .limited(max_body));
        who = std.mem.trim(u8, body, " \r\n");
    } else if (try queryValue(arena, environment.get("QUERY_STRING") orelse "", "name")) |name| {
        who = name;
    }

    var out_buffer: [4096]u8 = undefined;
    var stdout: std.Io.File.Writer = .initStreaming(.stdout(), init.io, &out_buffer);
    try stdout.interface.writeAll("Content-Type: text/plain; charset=utf-8\n\n");
    try stdout.interface.print("{s}, {s}!\n", .{ environment.get("GREETING") orelse "Hello", who });
    try stdout.interface.flush();
}
