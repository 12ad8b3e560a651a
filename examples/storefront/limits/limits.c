// A customer's check of orders: at most MOST of anything. The answer is a verdict, as an any-deny point wants it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char cart[1 << 17];

int main(void) {
  const size_t size = fread(cart, 1, sizeof cart - 1, stdin);
  if (size == sizeof cart - 1) {
    puts("{\"allow\": false, \"reason\": \"the cart is too large to be looked at\"}");
    return 0;
  }
  const char* const text = getenv("MOST");
  const long most = text != NULL ? strtol(text, NULL, 10) : 0;
  // The point's schema has been kept to, so what follows the name is a whole number.
  for (const char* at = cart; (at = strstr(at, "\"quantity\":")) != NULL;) {
    at += strlen("\"quantity\":");
    if (strtol(at, NULL, 10) > most) {
      printf("{\"allow\": false, \"reason\": \"at most %ld of each\"}\n", most);
      return 0;
    }
  }
  puts("{\"allow\": true}");
  return 0;
}
