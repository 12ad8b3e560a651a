// JSON Schema 2020-12: a schema compiled once, documents checked against it.
//
// Neither side is trusted: nothing outside a schema is fetched, patterns take linear time, and a
// check has a bound on its steps and on the stack it takes from its caller (1 MiB), beyond which
// the document counts as not valid. Thread-safe: a schema may be used by several threads at once.
#pragma once

#include <carrel/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct carrel_schema carrel_schema;

// Null and a text in `error` when it is no schema of that dialect.
carrel_schema* carrel_schema_new(const uint8_t* json, size_t size, carrel_buffer* error);
void carrel_schema_free(carrel_schema* schema);

// True: the document is valid, nested `depth` deep at most, and no object in it has a name twice.
// False: `problems` holds a JSON array of {"at": JSON pointer into the document, "message": text},
// the first few, without values of the document.
bool carrel_schema_check(const carrel_schema* schema, const uint8_t* json, size_t size,
                         size_t depth, carrel_buffer* problems);

#ifdef __cplusplus
}  // extern "C"
#endif
