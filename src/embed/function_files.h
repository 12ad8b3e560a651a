// /app as one binding's modules see it: a file for each function that its point lets them call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "embed/functions.h"
#include "wasi/node.h"

namespace carrel::embed {

// Thread-safe. A function that is not provided yet is not there.
std::shared_ptr<wasi::Node> mount_functions(std::shared_ptr<const FunctionTable> functions,
                                            std::vector<std::string> names);

}  // namespace carrel::embed
