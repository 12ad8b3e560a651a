// WASI's rights: what a descriptor may be used for. Those that a guest asks for at path_open decide
// between reading and writing; the rest it always has, until it gives them up by
// fd_fdstat_set_rights.
#pragma once

#include <cstdint>

namespace carrel::wasi {

using Rights = std::uint64_t;

namespace right {
inline constexpr Rights kDatasync = 1 << 0, kRead = 1 << 1, kSeek = 1 << 2, kSetFlags = 1 << 3,
                        kSync = 1 << 4, kTell = 1 << 5, kWrite = 1 << 6, kAdvise = 1 << 7,
                        kAllocate = 1 << 8, kCreateFolder = 1 << 9, kCreateFile = 1 << 10,
                        kLinkSource = 1 << 11, kLinkTarget = 1 << 12, kOpen = 1 << 13,
                        kReaddir = 1 << 14, kReadlink = 1 << 15, kRenameSource = 1 << 16,
                        kRenameTarget = 1 << 17, kPathStat = 1 << 18, kPathSetSize = 1 << 19,
                        kPathSetTimes = 1 << 20, kStat = 1 << 21, kSetSize = 1 << 22,
                        kSetTimes = 1 << 23, kSymlink = 1 << 24, kRemoveFolder = 1 << 25,
                        kUnlink = 1 << 26, kPoll = 1 << 27;
}  // namespace right

inline constexpr Rights kAllRights = (1 << 30) - 1;
inline constexpr Rights kReadRights = right::kRead;
inline constexpr Rights kWriteRights =
    right::kWrite | right::kDatasync | right::kAllocate | right::kSetSize;
inline constexpr Rights kPositionRights = right::kSeek | right::kTell;
inline constexpr Rights kFileRights = kReadRights | kWriteRights | kPositionRights |
                                      right::kSetFlags | right::kSync | right::kAdvise |
                                      right::kStat | right::kSetTimes | right::kPoll;
inline constexpr Rights kFolderRights =
    right::kSetFlags | right::kSync | right::kAdvise | right::kCreateFolder | right::kCreateFile |
    right::kLinkSource | right::kLinkTarget | right::kOpen | right::kReaddir | right::kReadlink |
    right::kRenameSource | right::kRenameTarget | right::kPathStat | right::kPathSetSize |
    right::kPathSetTimes | right::kStat | right::kSetTimes | right::kSymlink |
    right::kRemoveFolder | right::kUnlink | right::kPoll;

}  // namespace carrel::wasi
