// Reads JSON from memory, value by value, without building a tree.
//
// Each function skips white space, reads one thing and moves on. On bad input it returns false and
// the reader stays failed, so a caller may check once at the end.
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  const char *at;
  const char *end;
  bool failed;
} Json;

Json json_over(const char *text, size_t size);

// True, and moves past it, if the next character is `c`. Not finding it is no failure.
bool json_take(Json *json, char c);

// Reads a string as UTF-8; what does not fit into `size` - 1 bytes is a failure.
bool json_string(Json *json, char *out, size_t size);

// Reads a string or a number as text: {"qty": 3} and {"qty": "3"} mean the same to a form.
bool json_text(Json *json, char *out, size_t size);

bool json_integer(Json *json, long long *out);

// Moves past any value, nested at most 32 deep.
bool json_skip(Json *json);

// Steps through `{...}` and `[...]`: `first` starts as true. False at the end or on bad input.
bool json_next_member(Json *json, bool *first, char *key, size_t size);
bool json_next_element(Json *json, bool *first);

// True if nothing but white space is left and nothing failed.
bool json_finished(Json *json);

// False for bytes that no JSON string may hold, overlong forms and surrogates included.
bool json_is_utf8(const char *text);

// Prints `text` as a JSON string, quotes included.
void json_print_string(const char *text);
