// The rows that a statement gave.
//
// Belongs to one thread. Columns count from 0; NULL reads as 0 and as "". Views are valid as long
// as the rows are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/postgres/postgres_value.h"
#include "umbranet/base/clock.h"

struct pg_result;

namespace umbranet {

class PostgresRow {
 public:
  PostgresRow(const pg_result* result, int row) : result_(result), row_(row) {}

  [[nodiscard]] bool IsNull(int column) const;
  // The value as the server sent it: of text and bytea, the bytes themselves.
  [[nodiscard]] std::string_view Text(int column) const;

  [[nodiscard]] std::string String(int column) const { return std::string(Text(column)); }

  // smallint, integer, bigint, boolean. A sum of bigint is numeric: cast it.
  [[nodiscard]] std::int64_t Int(int column) const { return ReadPostgresInt(Text(column)); }

  [[nodiscard]] bool Bool(int column) const { return Int(column) != 0; }

  // real, double precision.
  [[nodiscard]] double Real(int column) const { return ReadPostgresReal(Text(column)); }

  // A bigint column of Unix milliseconds.
  [[nodiscard]] Timestamp Time(int column) const { return FromUnixMillis(Int(column)); }

  [[nodiscard]] std::optional<std::int64_t> OptionalInt(int column) const;
  [[nodiscard]] std::optional<Timestamp> OptionalTime(int column) const;

  // Arrays of integers, of text or bytea, and of reals; empty for NULL.
  [[nodiscard]] std::vector<std::int64_t> Ints(int column) const;
  [[nodiscard]] std::vector<std::string> Strings(int column) const;
  [[nodiscard]] std::vector<float> Reals(int column) const;

 private:
  const pg_result* result_;
  int row_;
};

class PostgresRows {
 public:
  class Iterator {
   public:
    Iterator(const pg_result* result, int row) : result_(result), row_(row) {}

    PostgresRow operator*() const { return {result_, row_}; }

    Iterator& operator++() {
      ++row_;
      return *this;
    }

    bool operator==(const Iterator&) const = default;

   private:
    const pg_result* result_;
    int row_;
  };

  PostgresRows() = default;
  // Takes it over.
  explicit PostgresRows(pg_result* result);

  [[nodiscard]] int size() const;

  [[nodiscard]] bool empty() const { return size() == 0; }

  [[nodiscard]] PostgresRow operator[](int row) const { return {result_.get(), row}; }

  [[nodiscard]] Iterator begin() const { return {result_.get(), 0}; }

  [[nodiscard]] Iterator end() const { return {result_.get(), size()}; }

  // Rows that an INSERT, UPDATE or DELETE touched, or that a SELECT gave.
  [[nodiscard]] std::int64_t affected() const;
  // The server's name for what it did: "UPDATE 3", "COMMIT".
  [[nodiscard]] std::string_view tag() const;

 private:
  struct Clear {
    void operator()(pg_result* result) const noexcept;
  };

  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace umbranet
