// WASI preview 1 error numbers. Source: the witx files of WASI snapshot 01.
#pragma once

#include <cstdint>
#include <expected>

namespace carrel::wasi {

enum class Errno : std::uint16_t {
  success, too_big, acces, addrinuse, addrnotavail, afnosupport, again, already, badf, badmsg, busy, canceled,
  child, connaborted, connrefused, connreset, deadlk, destaddrreq, dom, dquot, exist, fault, fbig, hostunreach,
  idrm, ilseq, inprogress, intr, inval, io, isconn, isdir, loop, mfile, mlink, msgsize, multihop, nametoolong,
  netdown, netreset, netunreach, nfile, nobufs, nodev, noent, noexec, nolck, nolink, nomem, nomsg, noprotoopt,
  nospc, nosys, notconn, notdir, notempty, notrecoverable, notsock, notsup, notty, nxio, overflow, ownerdead,
  perm, pipe, proto, protonosupport, prototype, range, rofs, spipe, srch, stale, timedout, txtbsy, xdev,
  notcapable,
};

// The result of an operation on the file tree.
template <typename T = void>
using Io = std::expected<T, Errno>;

inline std::unexpected<Errno> fail(Errno error) { return std::unexpected(error); }

}  // namespace carrel::wasi
