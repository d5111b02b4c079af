// The rows that a grown installation consists of, as they move from one store to another.
//
// What a table is called and what its columns mean is the same in both: keys (of users, of places
// in the journal, of episodes and statements) move as they are, so that everything that refers to
// them stays true without being translated. Each store knows how its own columns are written and
// read. What a store works out by itself (indexes, corpus statistics, caches) does not move.
// Values; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace umbranet {

enum class MovedKind : std::uint8_t {
  kInteger,  // Times too: Unix milliseconds.
  kReal,
  kFlag,   // An integer, 0 or 1.
  kId,     // Text that must arrive as it is.
  kWords,  // Text for people, of errors say; a store may replace characters that it cannot hold.
  kTerms,  // As JoinTerms gives them (base/text_analysis.h); a store may keep each by itself.
  kBytes,  // What people wrote.
};

struct MovedColumn {
  std::string_view name;
  MovedKind kind = MovedKind::kInteger;
};

struct MovedTable {
  std::string_view name;
  std::vector<MovedColumn> columns;
  // Of one without user_key: the table that says whose a row is, by a column of that name in both.
  std::string_view parent = "job";
  std::string_view parent_key = "seq";
};

// Nothing is NULL.
using MovedValue = std::variant<std::monostate, std::int64_t, double, std::string>;
// Parallel to the columns of the table.
using MovedRow = std::vector<MovedValue>;

// Tables with rows of one user each, in the order in which they move.
std::span<const MovedTable> MovedTables();

// Every user, also one who was forgotten and left but the time of it.
const MovedTable& MovedAccounts();
// The other tables that are nobody's in particular: the spaces of vectors, and the books of what
// models were asked.
std::span<const MovedTable> MovedCommonTables();

}  // namespace umbranet
