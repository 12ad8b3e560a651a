// A wasi:http/proxy component for tests: what it does is named by the request's path.
#include "wasi.h"

static handle stream, body;

// Answers; what follows is the body's.
static void answer(handle outparam, int32_t status, const char *type) {
  result r;
  const handle headers = fields_new();
  fields_append(headers, "content-type", 12, type, strlen(type), &r);
  const handle response = response_new(headers);
  if (response_status(response, status) != 0) __builtin_trap();
  response_body(response, &r);
  body = handle_of(&r);
  outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  body_write(body, &r);
  stream = handle_of(&r);
}

// Nothing: the client is gone.
static int say(const char *bytes, size_t size) {
  while (size > 0) {
    const size_t n = size < 4096 ? size : 4096;
    result r;
    stream_write(stream, bytes, n, &r);
    if (r.tag != 0) return 0;
    bytes += n;
    size -= n;
  }
  return 1;
}

static void finish(void) {
  result r;
  output_drop(stream);
  body_finish(body, 0, 0, &r);
}

static void reply(handle outparam, int32_t status, text bytes) {
  answer(outparam, status, "text/plain");
  say(bytes.data, bytes.size);
  finish();
}

static text number(int64_t n) {
  static char digits[24];
  char *at = digits + sizeof digits;
  size_t size = 0;
  do {
    *--at = (char)('0' + n % 10);
    n /= 10;
    ++size;
  } while (n > 0);
  return (text){at, size};
}

static int64_t number_of(text digits) {
  int64_t n = 0;
  for (size_t i = 0; i < digits.size && digits.data[i] >= '0' && digits.data[i] <= '9'; ++i)
    n = n * 10 + digits.data[i] - '0';
  return n;
}

// The value of the trailer x-sum, of a body whose stream is gone.
static text sum_of(handle incoming) {
  result r;
  const handle future = incoming_finish(incoming);
  const handle known = trailers_subscribe(future);
  pollable_block(known);
  pollable_drop(known);
  trailers_get(future, &r);
  // option, result of the only one who may ask, result, option
  if ((r.word[0] & 0xff) == 0 || (r.word[4] & 0xff) != 0) return (text){"failed", 6};
  if ((r.word[6] & 0xff) == 0) return (text){"no trailers", 11};
  fields_get(r.word[7], "x-sum", 5, &r);
  return r.word[1] == 0 ? (text){"no sum", 6} : *(text *)r.word[0];
}

static void show_sum(handle outparam, handle request) {
  result r;
  request_consume(request, &r);
  const handle from = handle_of(&r);
  incoming_stream(from, &r);
  const handle input = handle_of(&r);
  for (stream_read(input, 65536, &r); r.tag == 0; stream_read(input, 65536, &r)) free((void *)r.word[1]);
  input_drop(input);
  reply(outparam, 200, sum_of(from));
}

static void answer_with_trailer(handle outparam, const char *name) {
  result r;
  answer(outparam, 200, "text/plain");
  say("body", 4);
  const handle trailers = fields_new();
  fields_append(trailers, name, strlen(name), "42", 2, &r);
  output_drop(stream);
  body_finish(body, 1, trailers, &r);
}

static void echo(handle outparam, handle request) {
  result r;
  request_consume(request, &r);
  const handle from = handle_of(&r);
  incoming_stream(from, &r);
  const handle input = handle_of(&r);
  answer(outparam, 200, "application/octet-stream");
  for (;;) {
    stream_read(input, 65536, &r);
    if (r.tag != 0) break;
    const text piece = text_at(&r, 1);
    if (!say(piece.data, piece.size)) break;
    free((void *)piece.data);
  }
  input_drop(input);
  finish();
}

static handle root(void) {
  result r;
  preopens(&r);
  if (r.word[1] < 1) __builtin_trap();
  return *(handle *)r.word[0];
}

enum { CREATE = 1, FOLDER = 2, TRUNCATE = 8, READ = 1, WRITE = 2 };

// 0: `*file` is open; else the error code + 1.
static int open_file(text path, int how, int flags, handle *file) {
  result r;
  open_at(root(), 1, path.data, path.size, how, flags, &r);
  if (r.tag != 0) return 1 + (r.word[1] & 0xff);
  *file = r.word[1];
  return 0;
}

static void show_file(handle outparam, text path) {
  result r;
  handle file = 0;
  const int error = open_file(path, 0, READ, &file);
  if (error != 0) return reply(outparam, 404, number(error - 1));
  answer(outparam, 200, "text/plain");
  for (int64_t at = 0;;) {
    file_read(file, 4096, at, &r);
    const text piece = text_at(&r, 1);
    if (r.tag != 0 || piece.size == 0) break;
    say(piece.data, piece.size);
    at += (int64_t)piece.size;
  }
  file_drop(file);
  finish();
}

static int put(text path, text value) {
  result r;
  handle file = 0;
  const int error = open_file(path, CREATE | TRUNCATE, WRITE, &file);
  if (error != 0) return error;
  file_write(file, value.data, value.size, 0, &r);
  file_drop(file);
  return r.tag == 0 ? 0 : 1 + (r.word[2] & 0xff);
}

static text get(text path) {
  result r;
  handle file = 0;
  if (open_file(path, 0, READ, &file) != 0) return (text){"", 0};
  file_read(file, 4096, 0, &r);
  const text value = r.tag == 0 ? text_at(&r, 1) : (text){"", 0};
  file_drop(file);
  return value;
}

static void show_folder(handle outparam, text path) {
  result r;
  handle folder = 0;
  const int error = open_file(path, FOLDER, READ, &folder);
  if (error != 0) return reply(outparam, 404, number(error - 1));
  list_folder(folder, &r);
  const handle entries = handle_of(&r);
  answer(outparam, 200, "text/plain");
  for (;;) {
    list_next(entries, &r);
    if (r.tag != 0 || (r.word[1] & 0xff) == 0) break;
    const text name = text_at(&r, 3);
    say(name.data, name.size);
    say("\n", 1);
  }
  finish();
}

static void sleep_for(int64_t milliseconds) {
  const handle timer = after(milliseconds * 1000000);
  pollable_block(timer);
  pollable_drop(timer);
}

// How a call is made; zeros: as they are by default.
typedef struct {
  int tls;
  int64_t patience;  // milliseconds, until the first byte and between bytes
  int pieces;        // of 4096 bytes: a body
  int pause;         // milliseconds after each piece
  int length;        // that is said of the body
  int traps;         // in the midst of it
  int waits;         // for the answer, before its end
  const char *trailer;
  int shows_sum;
} manner;

static void call_out(handle outparam, text url, manner how) {
  result r;
  const handle fields = fields_new();
  if (how.length > 0) {
    const text length = number(how.length);
    fields_append(fields, "content-length", 14, length.data, length.size, &r);
  }
  const handle request = call_new(fields);
  const char *slash = memchr(url.data, '/', url.size);
  const size_t authority = slash ? (size_t)(slash - url.data) : url.size;
  call_scheme(request, 1, how.tls, NULL, 0);
  call_authority(request, 1, url.data, authority);
  call_path(request, 1, slash ? slash : "/", slash ? url.size - authority : 1);
  handle options = 0, sent = 0;
  if (how.patience > 0) {
    options = options_new();
    options_first_byte(options, 1, how.patience * 1000000);
    options_between_bytes(options, 1, how.patience * 1000000);
  }
  if (how.pieces > 0) {
    call_method(request, 2, NULL, 0);  // POST
    call_body(request, &r);
    sent = handle_of(&r);
  }
  call_send(request, options != 0, options, &r);
  if (r.tag != 0) return reply(outparam, 502, number(r.word[2] & 0xff));
  const handle future = r.word[2];
  if (how.pieces > 0) {
    static char piece[4096];
    memset(piece, 'b', sizeof piece);
    body_write(sent, &r);
    const handle out = handle_of(&r);
    for (int i = 0; i < how.pieces; ++i) {
      stream_write(out, piece, sizeof piece, &r);
      if (r.tag != 0) break;  // the answer says why
      if (how.pause > 0) sleep_for(how.pause);
      if (how.traps) __builtin_trap();
    }
    if (how.waits) pollable_block(future_subscribe(future));
    output_drop(out);
    const handle trailers = how.trailer ? fields_new() : 0;
    if (how.trailer) fields_append(trailers, how.trailer, strlen(how.trailer), "42", 2, &r);
    body_finish(sent, how.trailer != NULL, trailers, &r);
  }
  pollable_block(future_subscribe(future));
  future_get(future, &r);
  // option, result of the only one who may ask, result
  if ((r.word[4] & 0xff) != 0) return reply(outparam, 502, number(r.word[6] & 0xff));
  const handle response = r.word[6];
  const int32_t status = answer_status(response);
  answer_consume(response, &r);
  const handle incoming = handle_of(&r);
  incoming_stream(incoming, &r);
  const handle input = handle_of(&r);
  answer(outparam, status, "text/plain");
  for (;;) {
    stream_read(input, 65536, &r);
    if (r.tag != 0) break;
    const text piece = text_at(&r, 1);
    say(piece.data, piece.size);
    free((void *)piece.data);
  }
  if ((r.word[1] & 0xff) == 0) say("cut", 3);  // it failed, it did not end
  if (how.shows_sum) {
    input_drop(input);
    const text sum = sum_of(incoming);
    say(" ", 1);
    say(sum.data, sum.size);
  }
  finish();
}

static void show_environment(handle outparam) {
  result r;
  environment(&r);
  answer(outparam, 200, "text/plain");
  const text *pairs = (const text *)r.word[0];
  for (int32_t i = 0; i < r.word[1] * 2; i += 2) {
    say(pairs[i].data, pairs[i].size);
    say("=", 1);
    say(pairs[i + 1].data, pairs[i + 1].size);
    say("\n", 1);
  }
  finish();
}

static void grow(handle outparam) {
  int64_t pages = 0;
  while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) pages += 16;
  reply(outparam, 200, number(pages));
}

static void print(const char *line) {
  result r;
  stream_write(standard_out(), line, strlen(line), &r);
}

static int64_t times;
static handle held_file, held_body;

// Of a file that an earlier request of this instance opened: its beginning, or the error code. Another is open beside it.
static void show_held_file(handle outparam, text beside) {
  result r;
  handle other = 0;
  open_file(beside, 0, READ, &other);
  if (held_file == 0) return reply(outparam, 404, (text){"none", 4});
  file_read(held_file, 4096, 0, &r);
  if (r.tag != 0) return reply(outparam, 409, number(r.word[1] & 0xff));
  reply(outparam, 200, text_at(&r, 1));
}

static void hold_body(handle request) {
  result r;
  request_consume(request, &r);
  incoming_stream(handle_of(&r), &r);
  held_body = handle_of(&r);
}

static void show_held_body(handle outparam) {
  result r;
  if (held_body == 0) return reply(outparam, 404, (text){"none", 4});
  stream_read(held_body, 4096, &r);
  if (r.tag != 0) return reply(outparam, 409, (text){"closed", 6});
  reply(outparam, 200, text_at(&r, 1));
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle"))) void handle_request(handle request,
                                                                                             handle outparam) {
  result r;
  request_path(request, &r);
  text path = text_at(&r, 1), rest = {"", 0};
  const char *mark = memchr(path.data, '?', path.size);
  if (mark) {
    rest = (text){mark + 1, path.size - (size_t)(mark + 1 - path.data)};
    path.size = (size_t)(mark - path.data);
  }
  ++times;
  if (same(path, "/times")) return reply(outparam, 200, number(times));
  if (same(path, "/hold-file")) return reply(outparam, 200, number(open_file(rest, 0, READ, &held_file)));
  if (same(path, "/held-file")) return show_held_file(outparam, rest);
  if (same(path, "/hold-body")) {
    hold_body(request);
    return reply(outparam, 200, (text){"held", 4});
  }
  if (same(path, "/held-body")) return show_held_body(outparam);
  if (same(path, "/hello")) return reply(outparam, 200, (text){"hello\n", 6});
  if (same(path, "/status")) return reply(outparam, (int32_t)number_of(rest), (text){"", 0});
  if (same(path, "/echo")) return echo(outparam, request);
  if (same(path, "/file")) return show_file(outparam, rest);
  if (same(path, "/folder")) return show_folder(outparam, rest);
  if (same(path, "/environment")) return show_environment(outparam);
  if (same(path, "/out")) return call_out(outparam, rest, (manner){0});
  if (same(path, "/out-tls")) return call_out(outparam, rest, (manner){.tls = 1});
  if (same(path, "/out-soon")) return call_out(outparam, rest, (manner){.patience = 100});
  if (same(path, "/out-body")) return call_out(outparam, rest, (manner){.pieces = 100});
  if (same(path, "/out-large")) return call_out(outparam, rest, (manner){.pieces = 300});
  if (same(path, "/out-huge")) return call_out(outparam, rest, (manner){.pieces = 10000});
  if (same(path, "/out-sized")) return call_out(outparam, rest, (manner){.pieces = 300, .length = 300 * 4096});
  if (same(path, "/out-drip")) return call_out(outparam, rest, (manner){.pieces = 3, .pause = 200});
  if (same(path, "/out-trap")) return call_out(outparam, rest, (manner){.pieces = 300, .pause = 100, .traps = 1});
  if (same(path, "/out-wait")) return call_out(outparam, rest, (manner){.pieces = 1, .waits = 1});
  if (same(path, "/out-trailers")) return call_out(outparam, rest, (manner){.pieces = 3, .trailer = "x-sum"});
  if (same(path, "/out-drip-trailers")) {
    return call_out(outparam, rest, (manner){.pieces = 3, .pause = 100, .trailer = "x-sum"});
  }
  if (same(path, "/out-bad-trailers")) return call_out(outparam, rest, (manner){.pieces = 3, .trailer = "set-cookie"});
  if (same(path, "/out-sum")) return call_out(outparam, rest, (manner){.shows_sum = 1});
  if (same(path, "/sum")) return show_sum(outparam, request);
  if (same(path, "/trailers")) return answer_with_trailer(outparam, "x-sum");
  if (same(path, "/bad-trailers")) return answer_with_trailer(outparam, "set-cookie");
  if (same(path, "/socket")) {
    tcp_new(0, &r);
    const int tcp = r.tag == 0;
    udp_new(0, &r);
    return reply(outparam, 200, r.tag == 0 || tcp ? (text){"made", 4} : (text){"denied", 6});
  }
  if (same(path, "/grow")) return grow(outparam);
  if (same(path, "/put")) return reply(outparam, 200, number(put(rest, (text){"value", 5})));
  if (same(path, "/count")) {
    const int64_t count = number_of(get(rest)) + 1;
    const text value = number(count);
    const int error = put(rest, value);
    return error ? reply(outparam, 500, number(error - 1)) : reply(outparam, 200, value);
  }
  if (same(path, "/count-and-trap")) {
    put(rest, number(number_of(get(rest)) + 1));
    __builtin_trap();
  }
  if (same(path, "/sleep")) {
    sleep_for(number_of(rest));
    return reply(outparam, 200, (text){"slept\n", 6});
  }
  if (same(path, "/print")) {
    print("printed by a component\n");
    return reply(outparam, 200, (text){"ok\n", 3});
  }
  if (same(path, "/big")) {
    static char block[4096];
    memset(block, 'x', sizeof block);
    answer(outparam, 200, "text/plain");
    for (int64_t left = number_of(rest); left > 0 && say(block, sizeof block); --left) {
    }
    return finish();
  }
  if (same(path, "/drip")) {
    answer(outparam, 200, "text/plain");
    for (int i = 0; i < 3; ++i) {
      say("drip\n", 5);
      sleep_for(number_of(rest));
    }
    return finish();
  }
  if (same(path, "/spin")) {
    for (volatile int i = 0;; ++i) {
    }
  }
  if (same(path, "/poll-forever")) {
    for (;;) sleep_for(0);
  }
  if (same(path, "/handles-forever")) {
    for (;;) after(1000000000000);
  }
  if (same(path, "/trap")) __builtin_trap();
  if (same(path, "/trap-late")) {
    answer(outparam, 200, "text/plain");
    say("half of", 7);
    __builtin_trap();
  }
  if (same(path, "/silent")) return;
  if (same(path, "/unfinished")) {
    answer(outparam, 200, "text/plain");
    say("started\n", 8);
    return;
  }
  if (same(path, "/wrong-length")) {
    const handle headers = fields_new();
    fields_append(headers, "content-length", 14, "100", 3, &r);
    const handle response = response_new(headers);
    response_body(response, &r);
    body = handle_of(&r);
    outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
    body_write(body, &r);
    stream = handle_of(&r);
    say("short", 5);
    return finish();
  }
  if (same(path, "/twice")) {
    reply(outparam, 200, (text){"one", 3});
    return reply(outparam, 200, (text){"two", 3});
  }
  if (same(path, "/drop-twice")) {
    request_drop(request);
    return request_drop(request);
  }
  if (same(path, "/wild-handle")) return fields_drop(12345);
  if (same(path, "/lying-list")) {
    const handle headers = fields_new();
    fields_append(headers, (const char *)0x7fffff00, 0x7fffffff, "x", 1, &r);
    return reply(outparam, 200, (text){"?", 1});
  }
  if (same(path, "/too-much-at-once")) {
    answer(outparam, 200, "text/plain");
    stream_write(stream, "", 5000, &r);
    return finish();
  }
  if (same(path, "/error")) {
    outparam_set(outparam, 1, 38, 0, 0, 0, 0, 0, 0);
    return;
  }
  reply(outparam, 404, (text){"no such path\n", 13});
}
