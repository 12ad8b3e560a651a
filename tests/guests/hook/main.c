// A module at a hook point, for tests: what it does stands in its configuration, ACT.
//
//   echo               answers what it was given
//   say                answers ANSWER as it is
//   add                its input, an object, with "NAME": 1 before its end
//   nothing            has no answer
//   event              answers what it was told of the event
//   keep               counts in the store "hooks", then answers ANSWER
//   deep | huge        answers 100,000 arrays in one another; ANSWER and 3 MiB of spaces
//   app                asks the application's function NAME with its input, and answers its answer
//   loop | sleep | trap | exit | memory
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char* input;
static size_t size;

static void read_input(void) {
  size_t room = 1 << 16;
  input = malloc(room);
  for (ssize_t n; (n = read(0, input + size, room - size)) > 0;) {
    size += (size_t)n;
    if (size == room) input = realloc(input, room *= 2);
  }
}

static void say(const char* text) {
  const size_t length = strlen(text);
  if (write(1, text, length) != (ssize_t)length) exit(3);
}

static void keep(void) {
  char text[32] = "0";
  int fd = open("/kv/hooks/count", O_RDONLY);
  if (fd >= 0) {
    const ssize_t n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(fd);
  }
  const int count = atoi(text) + 1;
  fd = open("/kv/hooks/count", O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) exit(4);
  snprintf(text, sizeof text, "%d", count);
  if (write(fd, text, strlen(text)) < 0 || close(fd) != 0) exit(5);
}

static void ask(const char* name) {
  char path[128], answer[4096];
  snprintf(path, sizeof path, "/app/%s", name);
  const int fd = open(path, O_RDWR);
  ssize_t n = fd < 0 ? -1 : write(fd, input, size);
  if (n >= 0) n = read(fd, answer, sizeof answer);
  if (n < 0) {
    printf("{\"errno\": %d}", errno);
    return;
  }
  for (; n > 0; n = read(fd, answer, sizeof answer)) fwrite(answer, 1, (size_t)n, stdout);
}

static void flood(const char* piece, size_t times) {
  for (size_t i = 0; i < times; ++i) say(piece);
}

static const char* variable(const char* name) {
  const char* value = getenv(name);
  return value != NULL ? value : "";
}

int main(void) {
  const char* act = variable("ACT");
  const char* answer = variable("ANSWER");
  read_input();
  if (strcmp(act, "echo") == 0) {
    if (write(1, input, size) != (ssize_t)size) return 3;
  } else if (strcmp(act, "say") == 0) {
    say(answer);
  } else if (strcmp(act, "add") == 0) {
    while (size > 0 && input[size - 1] != '}') --size;
    printf("%.*s%s\"%s\": 1}", (int)size - 1, input, size > 2 ? "," : "", variable("NAME"));
  } else if (strcmp(act, "event") == 0) {
    char text[4096] = "";
    const int fd = open("/event/attributes.json", O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0) return 6;
    say(text);
  } else if (strcmp(act, "keep") == 0) {
    keep();
    say(answer);
  } else if (strcmp(act, "app") == 0) {
    ask(variable("NAME"));
  } else if (strcmp(act, "app-keep") == 0) {
    ask(variable("NAME"));
    keep();
  } else if (strcmp(act, "deep") == 0) {
    flood("[[[[[[[[[[", 10000);
  } else if (strcmp(act, "huge") == 0) {
    say(answer);
    flood("                                                                ", (3 << 20) / 64);
  } else if (strcmp(act, "loop") == 0) {
    for (volatile int i = 0;; ++i) {
    }
  } else if (strcmp(act, "sleep") == 0) {
    const struct timespec span = {.tv_sec = 60};
    nanosleep(&span, NULL);
  } else if (strcmp(act, "trap") == 0) {
    __builtin_trap();
  } else if (strcmp(act, "exit") == 0) {
    fputs("the tax table is missing\n", stderr);
    return 7;
  } else if (strcmp(act, "memory") == 0) {
    for (;;) {
      char* volatile more = malloc(1 << 20);  // so that the compiler leaves it
      if (more == NULL) abort();
      memset(more, 1, 1 << 20);
    }
  }
  return 0;
}
