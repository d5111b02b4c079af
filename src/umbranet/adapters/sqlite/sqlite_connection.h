// One connection to an SQLite file, with its cache of prepared statements.
//
// Used by one thread at a time: the writer's by the writer thread, a reader's by whoever borrowed
// it from SqliteDatabase.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_statement.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

struct sqlite3;

namespace umbranet {

class SqliteConnection {
 public:
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly };

  struct Options {
    std::string path;
    Mode mode = Mode::kReadOnly;
    std::size_t cache_kib = 1024;
    std::size_t mmap_bytes = 0;
    std::size_t statements_max = 256;  // Kept prepared; further ones are made for one use.
  };

  static Result<std::unique_ptr<SqliteConnection>> Open(const Options& options);
  // All statements must have been given back.
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // A statement for `sql`, prepared once and kept. It may be on loan more than once: the second
  // borrower gets one of its own. A failure shows when it is stepped.
  [[nodiscard]] SqliteStatement Prepare(std::string_view sql);

  // Binds `values` in order and runs a statement that gives no rows.
  template <typename... Values>
  Status Run(std::string_view sql, const Values&... values) {
    SqliteStatement statement = Prepare(sql);
    statement.BindAll(values...);
    return statement.Run();
  }

  // Several statements without parameters, separated by semicolons, not cached.
  Status Execute(const std::string& script);

  // Rows changed by the last statement, and the rowid of the last insert.
  [[nodiscard]] std::int64_t Changes() const;
  [[nodiscard]] std::int64_t LastInsertRowid() const;

  // Rises whenever something that was written did not come to stay. Whoever keeps derived state in
  // memory compares it with the number that he built the state under, and forgets the state when it
  // differs.
  [[nodiscard]] std::uint64_t rollbacks() const { return rollbacks_; }

  void CountRollback() { ++rollbacks_; }

  // Statements fail with kDeadlineExceeded once `deadline` has passed. Never() lifts it.
  void SetDeadline(Deadline deadline);

  [[nodiscard]] bool InTransaction() const;

  // Room for what FindAccount looked up last. Null on a connection that writes, which may have to
  // take back what it sees.
  struct KnownAccount {
    std::string tenant;
    std::string user_id;
    std::int64_t key = 0;
  };

  [[nodiscard]] KnownAccount* known_account() { return writes_ ? nullptr : &known_account_; }

  // Rows that a kept statement went through without the help of an index, over all its runs. Few
  // or none, unless an index is missing or not used.
  struct Scan {
    std::string sql;
    std::int64_t rows = 0;
  };

  [[nodiscard]] std::vector<Scan> Scans() const;

  [[nodiscard]] sqlite3* handle() const { return database_; }

  [[nodiscard]] Error Translate(int code, std::string_view what) const;

 private:
  SqliteConnection(sqlite3* database, std::size_t statements_max, bool writes);

  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  sqlite3* database_;
  const std::size_t statements_max_;
  const bool writes_;
  // Elements of an unordered_map stay where they are, so a loan can point at its slot.
  std::unordered_map<std::string, SqliteStatement::Slot, TextHash, std::equal_to<>> statements_;
  Deadline deadline_;
  bool deadline_set_ = false;
  std::uint64_t rollbacks_ = 0;
  KnownAccount known_account_;
};

}  // namespace umbranet
