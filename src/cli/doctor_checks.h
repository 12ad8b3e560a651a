// What `carrel doctor` looks at: the kernel, limits, folders and tools that Carrel needs, each with
// what to do when it is not as it should be.
#pragma once

#include <string>
#include <vector>

namespace carrel::cli {

struct Check {
  enum class Status : unsigned char {
    fine,
    warning,
    problem
  };  // a problem: something will not work
  std::string name;
  Status status = Status::fine;
  std::string found;
  std::string help;  // for what is not fine
};

std::vector<Check> check_kernel();  // version, openat2, seccomp, processor
std::vector<Check> check_limits();  // memory, descriptors, mappings, overcommit
std::vector<Check> check_engine(
    const std::string& state);          // pool, state folder, disk, a compilation, a run
std::vector<Check> check_toolchains();  // warnings at most: guests may be built elsewhere

}  // namespace carrel::cli
