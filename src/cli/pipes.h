// Bytes from standard input and to standard output, whole and as they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace carrel::cli {

// To its end. Errors: invalid_argument when there are more than `most` bytes, io.
Result<std::string> read_input(std::size_t most);

// A secret: asked for without echo on a terminal, else to the end of standard input; without the
// line's end. Errors: those of `read_input`; invalid_argument when it is empty.
Result<SecretBytes> read_secret(std::string_view prompt, std::size_t most);

// Errors: io: not all of it could be written.
Result<void> write_output(std::string_view bytes);

}  // namespace carrel::cli
