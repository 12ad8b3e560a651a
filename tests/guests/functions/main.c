// A component that calls a function of the application through carrel:app/functions, for tests: NAME is the
// function, its standard input the input. It answers with what came, or with {"failure": NUMBER}.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
  uint8_t failed;
  union {
    struct {
      const char* data;
      size_t size;
    } answer;
    uint8_t failure;
  };
} result;

__attribute__((import_module("carrel:app/functions@0.1.0"), import_name("call"))) void call(
    const char* name, size_t name_size, const char* input, size_t size, result* into);

// What the host gives back comes to memory of ours.
__attribute__((export_name("cabi_realloc"))) void* cabi_realloc(void* old, size_t before, size_t align, size_t size) {
  (void)before;
  (void)align;
  return realloc(old, size);
}

int main(void) {
  static char input[2 << 20];
  size_t size = 0;
  for (ssize_t n; (n = read(0, input + size, sizeof input - size)) > 0;) size += (size_t)n;
  const char* name = getenv("NAME");
  size_t length = 0;
  while (name[length] != 0) ++length;
  result made;
  call(name, length, input, size, &made);
  if (made.failed) {
    printf("{\"failure\": %d}", made.failure);
  } else {
    fwrite(made.answer.data, 1, made.answer.size, stdout);
  }
  return 0;
}
