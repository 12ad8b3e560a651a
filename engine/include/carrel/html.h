// HTML of strangers, made safe by an allow-list of elements, attributes and schemes of links: no
// scripts, no styles, no event handlers, no forms.
#pragma once

#include <carrel/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

// True: `safe` holds what is left of the fragment. False: it is not UTF-8, or the library gave up.
bool carrel_html_clean(const uint8_t* html, size_t size, carrel_buffer* safe);

#ifdef __cplusplus
}  // extern "C"
#endif
