// The fields of an order, and a form reader that takes a body as it arrives.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { kSku, kQty, kName, kEmail, kCountry, kFieldCount };
enum { kFieldSize = 128 };

typedef struct {
  char values[kFieldCount][kFieldSize];
  bool too_long[kFieldCount];
} Fields;

extern const char *const kFieldNames[kFieldCount];

// The field of that name, or -1.
int field_by_name(const char *name);

// Reads application/x-www-form-urlencoded. Holds one name and one value at a time, so a body of any
// length needs no more memory than this.
typedef struct {
  Fields *fields;
  char name[32];
  size_t name_length;
  int field;  // -1: the name is not known, its value is passed over
  size_t value_length;
  int state;  // see form.c
  int high_digit;
  bool failed;  // a '%' that two hexadecimal digits do not follow, or a NUL
} FormReader;

FormReader form_reader(Fields *fields);
void form_feed(FormReader *reader, const char *bytes, size_t size);
// False if the body was not a well-formed form.
bool form_finish(FormReader *reader);
