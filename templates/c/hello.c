// Answers HTTP as a CGI program does: the request is in the environment and on standard input, the
// answer goes to standard output as header lines, an empty line and the body.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Copies the decoded value of `key` in a query string; false if the key is not there.
static int query_value(const char *query, const char *key, char *out, size_t size) {
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
      return 1;
    }
    query = strchr(query, '&');
    if (query) query++;
  }
  return 0;
}

static const char *environment(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

int main(void) {
  char who[256] = "world";
  if (!strcmp(environment("REQUEST_METHOD", "GET"), "POST")) {
    const size_t n = fread(who, 1, sizeof who - 1, stdin);
    who[n] = '\0';
    who[strcspn(who, "\r\n")] = '\0';
  } else {
    query_value(environment("QUERY_STRING", ""), "name", who, sizeof who);
  }
  printf("Content-Type: text/plain; charset=utf-8\n\n");
  printf("%s, %s!\n", environment("GREETING", "Hello"), who);
  return 0;
}
