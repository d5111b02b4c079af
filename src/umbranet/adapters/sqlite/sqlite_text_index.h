// A full-text index (FTS5) in which every term belongs to one scope, a user's corpus of one kind.
//
// The scope is part of the indexed token ("1z_sister"), so what a search costs depends on that
// corpus alone, and no query can reach another's. Text never reaches the query language of FTS5:
// it is made of terms of letters and digits only, quoted. The table keeps no text (content=''), so
// taking a document out needs the terms that it was put in with.
//
// Methods work in the transaction of their connection, on that connection's thread; the index
// itself is immutable and may be shared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Whose documents, and of which kind. Kinds count from 0 to 3.
struct IndexScope {
  std::int64_t user_key = 0;
  int kind = 0;
};

class SqliteTextIndex {
 public:
  // `table` names the FTS5 table; its fts5vocab of type 'row' is called table + "_terms".
  explicit SqliteTextIndex(std::string_view table);

  // `terms` are joined by single spaces, as JoinTerms gives them.
  Status Add(SqliteConnection& connection, std::int64_t document, IndexScope scope,
             std::string_view terms) const;
  // `terms` must be those of Add; otherwise the index is left with what it cannot find any more.
  Status Remove(SqliteConnection& connection, std::int64_t document, IndexScope scope,
                std::string_view terms) const;

  // In how many of the scope's documents each term is. Parallel to `terms`.
  Result<std::vector<std::uint64_t>> CountDocuments(SqliteConnection& connection, IndexScope scope,
                                                    std::span<const std::string> terms) const;

  // The best documents with any of the terms by FTS5's bm25(), at most `limit`. Terms that are in
  // many documents decide nothing while there are rarer ones: the rarest go in, until together they
  // name more documents than are worth weighing. `frequencies` is CountDocuments' answer.
  Result<std::vector<std::int64_t>> Search(SqliteConnection& connection, IndexScope scope,
                                           std::span<const std::string> terms,
                                           std::span<const std::uint64_t> frequencies,
                                           std::size_t limit) const;

  // Rewrites a part of the index, see PurgeTextIndex. True when nothing is left to do. `first` in
  // the first call of a purge.
  Result<bool> Purge(SqliteConnection& connection, bool first) const;

 private:
  const std::string add_;
  const std::string remove_;
  const std::string count_;
  const std::string search_;
  const std::string merge_;
};

// Rewrites the index so that removed documents leave nothing behind in the file: FTS5 keeps the
// terms of what was removed until it merges them away. Goes in slices of the background lane.
Status PurgeTextIndex(SqliteDatabase& database, const SqliteTextIndex& index, Deadline deadline);

}  // namespace umbranet
