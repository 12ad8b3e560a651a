#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

static int checks, failures;

const char *text_argument(Arguments arguments, int index, const char *otherwise) {
  return index < arguments.count ? arguments.values[index] : otherwise;
}

long number_argument(Arguments arguments, int index, long otherwise) {
  return index < arguments.count ? strtol(arguments.values[index], NULL, 10) : otherwise;
}

void check(int is_true, const char *what) {
  checks++;
  if (is_true) return;
  failures++;
  printf("FAILED %s\n", what);
}

void check_errno(long result, int wanted, const char *what) {
  const int found = errno;
  checks++;
  if (result == -1 && found == wanted) return;
  failures++;
  printf("FAILED %s: result %ld, errno %d (%s), wanted %d\n", what, result, found,
         strerror(found), wanted);
}

int checked(void) {
  if (failures) printf("FAILED %d of %d checks\n", failures, checks);
  else printf("ok %d checks\n", checks);
  return failures ? 1 : 0;
}

static const Command *const kAll[] = {kStreamCommands, kFileCommands, kClockCommands,
                                      kHostileCommands};

static int help(void) {
  for (size_t i = 0; i < sizeof kAll / sizeof *kAll; i++) {
    for (const Command *command = kAll[i]; command->name; command++) {
      printf("%-10s %s\n", command->name, command->usage);
    }
  }
  return 0;
}

// As a CGI program: the query string in place of the arguments, undecoded.
static Arguments query_arguments(void) {
  static char *values[16];
  const char *query = getenv("QUERY_STRING");
  Arguments arguments = {0, values};
  if (!query || !*query) return arguments;
  for (char *part = strtok(strdup(query), "&"); part && arguments.count < 16; part = strtok(NULL, "&")) {
    values[arguments.count++] = part;
  }
  return arguments;
}

int main(int argc, char **argv) {
  Arguments arguments = {argc > 1 ? argc - 1 : 0, argv + 1};
  if (arguments.count == 0) arguments = query_arguments();
  const char *name = text_argument(arguments, 0, "help");
  // Replies print their own header.
  const int is_reply = !strncmp(name, "reply", 5);
  if (getenv("REQUEST_METHOD") && !is_reply) {
    printf("Content-Type: text/plain\n\n");
  }
  if (!strcmp(name, "help")) return help();
  for (size_t i = 0; i < sizeof kAll / sizeof *kAll; i++) {
    for (const Command *command = kAll[i]; command->name; command++) {
      if (strcmp(command->name, name)) continue;
      arguments.count--;
      arguments.values++;
      return command->run(arguments);
    }
  }
  fprintf(stderr, "probe: no subcommand \"%s\"\n", name);
  return 64;
}
