// Room for the write-ahead log, taken before it is needed. A commit that makes the log longer waits
// for the file system to record the new length too, and that takes about twice as long as one that
// writes over what is there; a log that has once been filled is written over from then on, but the
// first turns of a new installation would each pay for it.
//
// The room is filled with zeros, in which SQLite finds no frame of its own. For the thread that
// writes to the database, between two transactions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sqlite3.h>

namespace umbranet {

class SqliteLogRoom {
 public:
  // `bytes`: how long the log is to be; 0 for as long as it gets. No room is taken on a disk that
  // has not many times as much to spare.
  SqliteLogRoom(std::string path, std::uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // False: all that is to be taken, or can be, was.
  [[nodiscard]] bool wanted() const { return bytes_ > 0; }

  // Takes some more of it, which is on the disk on return: a few milliseconds.
  void TakeSome(sqlite3* database);

 private:
  std::string path_;
  std::uint64_t bytes_;
};

}  // namespace umbranet
