#include "umbranet/adapters/postgres/postgres_rows.h"

#include <charconv>

#include <libpq-fe.h>

namespace umbranet {

namespace {

std::vector<std::string_view> Split(std::string_view array) {
  return SplitPostgresArray(array).value_or(std::vector<std::string_view>());
}

}  // namespace

bool PostgresRow::IsNull(int column) const {
  return PQgetisnull(result_, row_, column) != 0;
}

std::string_view PostgresRow::Text(int column) const {
  return {PQgetvalue(result_, row_, column),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

std::optional<std::int64_t> PostgresRow::OptionalInt(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Int(column));
}

std::optional<Timestamp> PostgresRow::OptionalTime(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Time(column));
}

std::vector<std::int64_t> PostgresRow::Ints(int column) const {
  std::vector<std::int64_t> values;
  for (const std::string_view element : Split(Text(column))) {
    values.push_back(ReadPostgresInt(element));
  }
  return values;
}

std::vector<std::string> PostgresRow::Strings(int column) const {
  std::vector<std::string> values;
  for (const std::string_view element : Split(Text(column))) {
    values.emplace_back(element);
  }
  return values;
}

std::vector<float> PostgresRow::Reals(int column) const {
  std::vector<float> values;
  for (const std::string_view element : Split(Text(column))) {
    values.push_back(static_cast<float>(ReadPostgresReal(element)));
  }
  return values;
}

PostgresRows::PostgresRows(pg_result* result) : result_(result) {}

int PostgresRows::size() const {
  return result_ ? PQntuples(result_.get()) : 0;
}

std::int64_t PostgresRows::affected() const {
  const std::string_view text = result_ ? PQcmdTuples(result_.get()) : "";
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string_view PostgresRows::tag() const {
  return result_ ? PQcmdStatus(result_.get()) : "";
}

void PostgresRows::Clear::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

}  // namespace umbranet
