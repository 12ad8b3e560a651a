// A folder of devices: files without place or size, each open of which is a conversation of its
// own, for reading and writing. `/http` and `/app` are such folders.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wasi/node.h"

namespace carrel::wasi {

FileStat device_stat();

// Owner: the tree it is mounted in. Thread: whichever its node is for; nothing here is shared.
// Stops: open devices are their own.
class DeviceFolder : public Node {
 public:
  Io<std::unique_ptr<OpenFile>> open(IoContext& io, std::string_view path,
                                     const OpenHow& how) final;
  Io<FileStat> stat(IoContext& io, std::string_view path, bool follow) final;

 private:
  // Success: the device is there. `path` is not empty.
  virtual Errno look_up(std::string_view path) const = 0;
  // Of those that are there, in the order of their cookies.
  virtual std::vector<std::string> names() const = 0;
  // One that is there, to be read and written.
  virtual Io<std::unique_ptr<OpenFile>> open_device(std::string_view path) = 0;
};

}  // namespace carrel::wasi
