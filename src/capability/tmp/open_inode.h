// Open files and folders of `/tmp`. Each keeps its inode, and the table it is in, alive.
#pragma once

#include <memory>

#include "capability/tmp/inode_table.h"

namespace carrel::capability::tmp {

std::unique_ptr<wasi::OpenFile> open_bytes(std::shared_ptr<InodeTable> table, Inode& inode,
                                           const wasi::OpenHow& how);
std::unique_ptr<wasi::OpenFile> open_folder(std::shared_ptr<InodeTable> table, Inode& inode);

void set_inode_times(wasi::IoContext& io, Inode& inode, wasi::SetTimes times);

}  // namespace carrel::capability::tmp
