// The program `carrel`.
#include <sys/prctl.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/node_key.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  // Secrets, and what guests keep in memory, are for nobody else of this user: no core dumps, no
  // debugger of another process, no key in the environment.
  prctl(PR_SET_DUMPABLE, 0);
  carrel::take_node_key();
  // A reader that goes away is an error of that write, not the end of the process; so is a file
  // that reaches the limit of its size.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Who started us may have ignored it; then nobody could learn how a compiler ended.
  std::signal(SIGCHLD, SIG_DFL);
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return carrel::cli::run_program(std::move(arguments));
}
