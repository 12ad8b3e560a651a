#include "wasi/node.h"

namespace carrel::wasi {

Io<std::size_t> OpenFile::read(IoContext&, Buffers) { return fail(Errno::badf); }
Io<std::size_t> OpenFile::write(IoContext&, ConstBuffers) { return fail(Errno::badf); }
Io<std::size_t> OpenFile::read_at(IoContext&, Buffers, std::uint64_t) { return fail(Errno::spipe); }
Io<std::size_t> OpenFile::write_at(IoContext&, ConstBuffers, std::uint64_t) {
  return fail(Errno::spipe);
}
Io<std::uint64_t> OpenFile::seek(IoContext&, std::int64_t, Whence) { return fail(Errno::spipe); }
Io<void> OpenFile::set_size(IoContext&, std::uint64_t) { return fail(Errno::inval); }
Io<void> OpenFile::set_times(IoContext&, SetTimes) { return fail(Errno::notsup); }
Io<void> OpenFile::allocate(IoContext&, std::uint64_t, std::uint64_t) {
  return fail(Errno::notsup);
}
Io<void> OpenFile::sync(IoContext&) { return {}; }
Io<void> OpenFile::set_append(IoContext&, std::uint16_t) { return {}; }
Io<std::vector<DirEntry>> OpenFile::list(IoContext&, std::uint64_t, std::size_t) {
  return fail(Errno::notdir);
}
Io<std::uint64_t> OpenFile::readable(IoContext&) { return 1; }
Io<std::uint64_t> OpenFile::writable(IoContext&) { return 1; }
Io<void> OpenFile::close(IoContext&) { return {}; }

Io<void> Node::make_folder(IoContext&, std::string_view) { return fail(Errno::rofs); }
Io<void> Node::remove_folder(IoContext&, std::string_view) { return fail(Errno::rofs); }
Io<void> Node::unlink(IoContext&, std::string_view) { return fail(Errno::rofs); }
Io<void> Node::rename(IoContext&, std::string_view, std::string_view) { return fail(Errno::rofs); }
Io<void> Node::link(IoContext&, std::string_view, std::string_view) { return fail(Errno::rofs); }
Io<void> Node::symlink(IoContext&, std::string_view, std::string_view) { return fail(Errno::rofs); }
Io<std::string> Node::read_link(IoContext&, std::string_view) { return fail(Errno::inval); }
Io<void> Node::set_times(IoContext&, std::string_view, SetTimes, bool) { return fail(Errno::rofs); }

}  // namespace carrel::wasi
