#include "umbranet/adapters/sqlite/sqlite_text_index.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace umbranet {
namespace {

constexpr int kKinds = 4;
// Documents that one search weighs at most, but for the rarest term's: 2,500 cost about 1 ms.
constexpr std::uint64_t kPostingsMax = 2500;
constexpr std::int64_t kPurgePages = 200;
// More than any index needs: 2 million pages.
constexpr std::size_t kPurgesMax = 10'000;
constexpr std::string_view kSelectChanges = "SELECT total_changes()";

std::string ScopePrefix(IndexScope scope) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  auto number = static_cast<std::uint64_t>(scope.user_key * kKinds + scope.kind);
  std::string prefix = "_";
  do {
    prefix.insert(prefix.begin(), kDigits[number % kDigits.size()]);
    number /= kDigits.size();
  } while (number > 0);
  return prefix;
}

std::string ScopeTerms(IndexScope scope, std::string_view terms) {
  const std::string prefix = ScopePrefix(scope);
  std::string scoped;
  scoped.reserve(terms.size() * 2);
  while (!terms.empty()) {
    const std::size_t end = std::min(terms.find(' '), terms.size());
    if (end > 0) {
      scoped += prefix;
      scoped += terms.substr(0, end);
      scoped += ' ';
    }
    terms.remove_prefix(std::min(end + 1, terms.size()));
  }
  return scoped;
}

// True for what AnalyzeTerms gives: letters and digits, which FTS5's ascii tokenizer takes whole.
bool IsTerm(std::string_view term) {
  return !term.empty() && std::all_of(term.begin(), term.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
  });
}

std::string Concat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += part;
  }
  return text;
}

}  // namespace

SqliteTextIndex::SqliteTextIndex(std::string_view table)
    : add_(Concat({"INSERT INTO ", table, "(rowid, terms) VALUES(?, ?)"})),
      remove_(
          Concat({"INSERT INTO ", table, "(", table, ", rowid, terms) VALUES('delete', ?, ?)"})),
      count_(Concat({"SELECT doc FROM ", table, "_terms WHERE term = ?"})),
      search_(Concat(
          {"SELECT rowid FROM ", table, " WHERE ", table, " MATCH ? ORDER BY rank LIMIT ?"})),
      merge_(Concat({"INSERT INTO ", table, "(", table, ", rank) VALUES('merge', ?)"})) {}

Status SqliteTextIndex::Add(SqliteConnection& connection, std::int64_t document, IndexScope scope,
                            std::string_view terms) const {
  return connection.Run(add_, document, ScopeTerms(scope, terms));
}

Status SqliteTextIndex::Remove(SqliteConnection& connection, std::int64_t document,
                               IndexScope scope, std::string_view terms) const {
  return connection.Run(remove_, document, ScopeTerms(scope, terms));
}

Result<std::vector<std::uint64_t>> SqliteTextIndex::CountDocuments(
    SqliteConnection& connection, IndexScope scope, std::span<const std::string> terms) const {
  const std::string prefix = ScopePrefix(scope);
  std::vector<std::uint64_t> frequencies;
  frequencies.reserve(terms.size());
  SqliteStatement count = connection.Prepare(count_);
  for (const std::string& term : terms) {
    const std::string token = prefix + term;
    count.Reset();
    count.BindText(1, token);
    frequencies.push_back(count.Step() ? static_cast<std::uint64_t>(count.Int(0)) : 0);
    UMBRANET_RETURN_IF_ERROR(count.status());
  }
  return frequencies;
}

Result<std::vector<std::int64_t>> SqliteTextIndex::Search(
    SqliteConnection& connection, IndexScope scope, std::span<const std::string> terms,
    std::span<const std::uint64_t> frequencies, std::size_t limit) const {
  std::vector<std::size_t> rarest_first(terms.size());
  std::iota(rarest_first.begin(), rarest_first.end(), std::size_t{0});
  std::stable_sort(rarest_first.begin(), rarest_first.end(),
                   [&](std::size_t a, std::size_t b) { return frequencies[a] < frequencies[b]; });
  const std::string prefix = ScopePrefix(scope);
  std::string match;
  std::uint64_t postings = 0;
  for (const std::size_t index : rarest_first) {
    if (frequencies[index] == 0 || !IsTerm(terms[index])) {
      continue;
    }
    postings += frequencies[index];
    if (!match.empty() && postings > kPostingsMax) {
      break;
    }
    match += match.empty() ? "\"" : " OR \"";
    match += prefix;
    match += terms[index];
    match += '"';
  }
  std::vector<std::int64_t> documents;
  if (match.empty() || limit == 0) {
    return documents;
  }
  SqliteStatement search = connection.Prepare(search_);
  search.BindAll(match, limit);
  while (search.Step()) {
    documents.push_back(search.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(search.status());
  return documents;
}

Result<bool> SqliteTextIndex::Purge(SqliteConnection& connection, bool first) const {
  const auto changes = [&]() -> Result<std::int64_t> {
    SqliteStatement total = connection.Prepare(kSelectChanges);
    const std::int64_t count = total.Step() ? total.Int(0) : 0;
    UMBRANET_RETURN_IF_ERROR(total.status());
    return count;
  };
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t before, changes());
  // A negative number first puts all segments into one merge, as 'optimize' does.
  UMBRANET_RETURN_IF_ERROR(connection.Run(merge_, first ? -kPurgePages : kPurgePages));
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t after, changes());
  // The command itself counts as one change.
  return after - before < 2;
}

Status PurgeTextIndex(SqliteDatabase& database, const SqliteTextIndex& index, Deadline deadline) {
  bool purged = false;
  for (std::size_t round = 0; !purged && round < kPurgesMax; ++round) {
    const Status merged = database.Write(
        SqliteDatabase::Lane::kBackground,
        [&](SqliteConnection& connection) -> Status {
          UMBRANET_ASSIGN_OR_RETURN(purged, index.Purge(connection, round == 0));
          return {};
        },
        deadline);
    UMBRANET_RETURN_IF_ERROR(merged);
  }
  return {};
}

}  // namespace umbranet
