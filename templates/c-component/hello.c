// Answers HTTP requests as a component of wasi:http/proxy. function.h is made from world.wit: an
// interface's functions and types have its short name of build.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"

enum { kWrite = 4096 };  // bytes that a blocking write takes

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Copies the decoded value of `key` in a query string; false if the key is not there.
static bool query_value(const char *query, const char *key, char *out, size_t size) {
  const size_t key_length = strlen(key);
  while (query) {
    if (!strncmp(query, key, key_length) && query[key_length] == '=') {
      const char *in = query + key_length + 1;
      size_t n = 0;
      for (; *in && *in != '&' && n + 1 < size; in++) {
        if (*in == '%' && hex_digit(in[1]) >= 0 && hex_digit(in[2]) >= 0) {
          out[n++] = (char)(hex_digit(in[1]) * 16 + hex_digit(in[2]));
          in += 2;
        } else {
          out[n++] = *in == '+' ? ' ' : *in;
        }
      }
      out[n] = '\0';
      return true;
    }
    query = strchr(query, '&');
    if (query) query++;
  }
  return false;
}

// As much of a request's body as fits.
static void read_body(http_borrow_incoming_request_t request, char *text, size_t size) {
  http_own_incoming_body_t body;
  io_own_input_stream_t stream;
  size_t n = 0;
  if (!http_method_incoming_request_consume(request, &body)) abort();
  if (!http_method_incoming_body_stream(http_borrow_incoming_body(body), &stream)) abort();
  function_list_u8_t piece;
  io_stream_error_t end;
  while (n + 1 < size &&
         io_method_input_stream_blocking_read(io_borrow_input_stream(stream), size - 1 - n, &piece, &end)) {
    memcpy(text + n, piece.ptr, piece.len);
    n += piece.len;
    function_list_u8_free(&piece);
  }
  text[n] = '\0';
  io_input_stream_drop_own(stream);
  http_incoming_body_drop_own(body);
}

static http_own_fields_t fields(void) {
  static char name[] = "content-type", value[] = "text/plain; charset=utf-8";
  http_tuple2_field_name_field_value_t field = {.f0 = {(uint8_t *)name, sizeof name - 1},
                                                .f1 = {(uint8_t *)value, sizeof value - 1}};
  http_list_tuple2_field_name_field_value_t list = {&field, 1};
  http_own_fields_t made;
  http_header_error_t error;
  if (!http_static_fields_from_list(&list, &made, &error)) abort();
  return made;
}

static void reply(http_own_response_outparam_t out, char *text) {
  http_result_own_outgoing_response_error_code_t response = {.is_err = false};
  response.val.ok = http_constructor_outgoing_response(fields());
  http_own_outgoing_body_t body;
  io_own_output_stream_t stream;
  if (!http_method_outgoing_response_body(http_borrow_outgoing_response(response.val.ok), &body)) abort();
  http_static_response_outparam_set(out, &response);
  if (!http_method_outgoing_body_write(http_borrow_outgoing_body(body), &stream)) abort();
  io_stream_error_t gone;
  for (size_t n, left = strlen(text); left > 0; text += n, left -= n) {
    n = left < kWrite ? left : kWrite;
    function_list_u8_t piece = {(uint8_t *)text, n};
    if (!io_method_output_stream_blocking_write_and_flush(io_borrow_output_stream(stream), &piece, &gone)) break;
  }
  io_output_stream_drop_own(stream);
  http_error_code_t error;
  http_static_outgoing_body_finish(body, NULL, &error);
}

void exports_handler_handle(http_own_incoming_request_t request, http_own_response_outparam_t out) {
  http_borrow_incoming_request_t asked = http_borrow_incoming_request(request);
  char who[256] = "world", text[512];
  http_method_t method;
  http_method_incoming_request_method(asked, &method);
  function_string_t path;
  if (method.tag == HTTP_METHOD_POST) {
    read_body(asked, who, sizeof who);
    who[strcspn(who, "\r\n")] = '\0';
  } else if (http_method_incoming_request_path_with_query(asked, &path)) {
    char query[1024] = "";
    const char *mark = memchr(path.ptr, '?', path.len);
    if (mark) snprintf(query, sizeof query, "%.*s", (int)((char *)path.ptr + path.len - mark - 1), mark + 1);
    query_value(query, "name", who, sizeof who);
    function_string_free(&path);
  }
  http_method_free(&method);
  http_incoming_request_drop_own(request);
  const char *greeting = getenv("GREETING");
  snprintf(text, sizeof text, "%s, %s!\n", greeting ? greeting : "Hello", who);
  reply(out, text);
}
