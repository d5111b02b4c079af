// Keeps some room free on the disk: new turns are refused before it is full, so that what was
// accepted can still be reflected, forwarded and forgotten. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "umbranet/base/result.h"

namespace umbranet {

// Bytes that are free on the disk of the database `path`; 0 and `failed` when it cannot be asked.
std::uint64_t FreeDiskBytes(const std::string& path, std::error_code& failed);

// kStorageFull when the file system of the database `path` has fewer than `reserve_bytes` free
// beside what its write-ahead log will take in the database, or cannot be asked. A reserve of 0
// asks nothing.
Status CheckDiskReserve(const std::string& path, std::uint64_t reserve_bytes);

}  // namespace umbranet
