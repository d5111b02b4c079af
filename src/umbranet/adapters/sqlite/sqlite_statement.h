// A prepared statement on loan from its connection's cache.
//
// Belongs to the thread that works with the connection. Use: bind, then Step until it says false,
// then ask for the status:
//
//   SqliteStatement turns = connection.Prepare(kSelectTurns);
//   turns.BindAll(user_key, limit);
//   while (turns.Step()) {
//     Take(turns.Text(0), turns.Int(1));
//   }
//   UMBRANET_RETURN_IF_ERROR(turns.status());
//
// An error anywhere (preparing, binding, stepping) ends the loop and stays until it is read. Bound
// text and blobs are not copied: they must stay unchanged until the statement is Reset or gone.
// Columns are valid until the next Step.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

struct sqlite3_stmt;

namespace umbranet {

class SqliteConnection;

class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  // Gives the statement back. A failure that nobody asked for with status() is a bug, and asserted.
  ~SqliteStatement();

  // Parameters count from 1.
  void BindInt(int index, std::int64_t value);
  void BindReal(int index, double value);
  void BindText(int index, std::string_view text);
  void BindBlob(int index, std::string_view bytes);
  void BindNull(int index);

  // `values` to parameters 1, 2, 3 ...; nullopt and nullptr are NULL, times are Unix milliseconds.
  template <typename... Values>
  void BindAll(const Values&... values) {
    int index = 0;
    (BindOne(++index, values), ...);
  }

  // True: a row can be read. False: there is none any more, or it failed.
  [[nodiscard]] bool Step();
  // Runs a statement that gives no rows to its end.
  [[nodiscard]] Status Run();
  // Success until something failed.
  [[nodiscard]] Status status();
  // Ready to be bound and run again. Bindings are forgotten.
  void Reset();

  // Columns count from 0. NULL reads as 0 and as "".
  [[nodiscard]] std::int64_t Int(int column) const;
  [[nodiscard]] double Real(int column) const;
  [[nodiscard]] std::string_view Text(int column) const;
  [[nodiscard]] std::string_view Blob(int column) const;
  [[nodiscard]] bool IsNull(int column) const;
  [[nodiscard]] std::optional<std::int64_t> OptionalInt(int column) const;
  [[nodiscard]] std::optional<Timestamp> OptionalTime(int column) const;

  [[nodiscard]] std::string String(int column) const { return std::string(Text(column)); }

  [[nodiscard]] Timestamp Time(int column) const { return FromUnixMillis(Int(column)); }

 private:
  friend class SqliteConnection;

  // Where a cached statement lives, so that it can be marked as given back.
  struct Slot {
    sqlite3_stmt* statement = nullptr;
    bool lent = false;
  };

  // `slot` is null for a statement that is not cached: it is finalized at the end.
  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement, Slot* slot);
  SqliteStatement(SqliteConnection& connection, Error error);

  void BindOne(int index, std::string_view text) { BindText(index, text); }

  void BindOne(int index, const std::string& text) { BindText(index, text); }

  void BindOne(int index, const char* text) { BindText(index, text); }

  void BindOne(int index, std::nullptr_t) { BindNull(index); }

  void BindOne(int index, double value) { BindReal(index, value); }

  void BindOne(int index, Timestamp value) { BindInt(index, ToUnixMillis(value)); }

  template <typename Value>
    requires std::integral<Value> || std::is_enum_v<Value>
  void BindOne(int index, Value value) {
    BindInt(index, static_cast<std::int64_t>(value));
  }

  template <typename Value>
  void BindOne(int index, const std::optional<Value>& value) {
    if (value.has_value()) {
      BindOne(index, *value);
    } else {
      BindNull(index);
    }
  }

  void Note(int code, std::string_view what);

  SqliteConnection* connection_;
  sqlite3_stmt* statement_ = nullptr;
  Slot* slot_ = nullptr;
  std::optional<Error> error_;
  bool error_read_ = true;
  bool stepped_ = false;
};

}  // namespace umbranet
