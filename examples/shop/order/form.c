#include "form.h"

#include <string.h>

const char *const kFieldNames[kFieldCount] = {"sku", "qty", "name", "email", "country"};

enum { kInName, kInValue, kEscape = 2 };  // kEscape is added while the two digits after % come

int field_by_name(const char *name) {
  for (int i = 0; i < kFieldCount; i++) {
    if (!strcmp(kFieldNames[i], name)) return i;
  }
  return -1;
}

FormReader form_reader(Fields *fields) {
  return (FormReader){.fields = fields, .field = -1, .high_digit = -1};
}

static void put(FormReader *reader, char c) {
  if (c == '\0') {
    reader->failed = true;
  } else if (reader->state == kInName) {
    // A name that is too long is cut, and so no longer one that we know.
    if (reader->name_length < sizeof reader->name - 1) reader->name[reader->name_length++] = c;
  } else if (reader->field >= 0) {
    if (reader->value_length < kFieldSize - 1) {
      reader->fields->values[reader->field][reader->value_length++] = c;
    } else {
      reader->fields->too_long[reader->field] = true;
    }
  }
}

static void end_name(FormReader *reader) {
  reader->name[reader->name_length] = '\0';
  reader->field = field_by_name(reader->name);
  reader->value_length = 0;
  reader->state = kInValue;
  // Of a repeated field the last value counts.
  if (reader->field >= 0) {
    memset(reader->fields->values[reader->field], 0, kFieldSize);
    reader->fields->too_long[reader->field] = false;
  }
}

static void end_pair(FormReader *reader) {
  reader->name_length = 0;
  reader->field = -1;
  reader->state = kInName;
}

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f') return (c | 32) - 'a' + 10;
  return -1;
}

static void digit(FormReader *reader, char c) {
  const int value = hex(c);
  if (value < 0) {
    reader->failed = true;
  } else if (reader->high_digit < 0) {
    reader->high_digit = value;
  } else {
    reader->state -= kEscape;
    put(reader, (char)(reader->high_digit * 16 + value));
    reader->high_digit = -1;
  }
}

void form_feed(FormReader *reader, const char *bytes, size_t size) {
  for (size_t i = 0; i < size && !reader->failed; i++) {
    const char c = bytes[i];
    if (reader->state >= kEscape) digit(reader, c);
    else if (c == '%') reader->state += kEscape;
    else if (c == '&') end_pair(reader);
    else if (c == '=' && reader->state == kInName) end_name(reader);
    else put(reader, c == '+' ? ' ' : c);
  }
}

bool form_finish(FormReader *reader) { return !reader->failed && reader->state < kEscape; }
