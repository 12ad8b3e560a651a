// The probe: a WASI command with a subcommand for each behaviour that a test wants to see.
//
//   probe NAME [ARGUMENT...]        from the shell, or by a route's argv
//   QUERY_STRING=NAME&ARGUMENT...   as a CGI program; it then prints a header first
//
// Results are lines of plain text. A check that fails prints "FAILED ..." and the exit status is 1.
// `probe help` lists the subcommands.
#pragma once

#include <stddef.h>

typedef struct {
  int count;
  char **values;
} Arguments;

typedef struct {
  const char *name;
  const char *usage;
  // Returns the exit status.
  int (*run)(Arguments arguments);
} Command;

extern const Command kStreamCommands[];   // streams.c: standard streams, environment, CGI replies
extern const Command kFileCommands[];     // files.c
extern const Command kClockCommands[];    // clocks.c: time, sleep, poll, random
extern const Command kHostileCommands[];  // hostile.c: what a host must survive

// The argument, or what stands for it.
const char *text_argument(Arguments arguments, int index, const char *otherwise);
long number_argument(Arguments arguments, int index, long otherwise);

// Counts a check and prints it if it fails; `what` says what should be true.
void check(int is_true, const char *what);
// Checks that a call gave -1 and this errno.
void check_errno(long result, int wanted, const char *what);
// Prints "ok N checks" or "FAILED N of M checks"; the exit status.
int checked(void);
