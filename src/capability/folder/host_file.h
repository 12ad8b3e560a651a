// Open files and folders of the host.
#pragma once

#include <sys/stat.h>
#include <time.h>

#include <array>
#include <memory>

#include "capability/folder/beneath.h"
#include "capability/folder/folder.h"
#include "wasi/node.h"

namespace carrel::capability::folder {

// `fd` is a regular file or a folder. Sizes and times of what is mounted read-only stay as they
// are.
std::unique_ptr<wasi::OpenFile> open_host_file(Fd fd, Access access);
std::unique_ptr<wasi::OpenFile> open_host_folder(Fd fd, Access access);

wasi::FileStat from_host_stat(const struct stat& status);
std::array<timespec, 2> to_host_times(wasi::SetTimes times);

}  // namespace carrel::capability::folder
