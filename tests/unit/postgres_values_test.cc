// Goal: what goes to PostgreSQL and comes from it is read as it was meant: values in the binary
// protocol, URLs, and the server's refusals; and the password is never told.
// Method: pure functions on tables of inputs.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/ledger_rows.h"
#include "umbranet/adapters/postgres/postgres_endpoint.h"
#include "umbranet/adapters/postgres/postgres_errors.h"
#include "umbranet/adapters/postgres/postgres_value.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(PostgresValue, WritesIntegersBigEndian) {
  EXPECT_EQ(PostgresValue::Of(std::int64_t{258}).bytes(), std::string("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(PostgresValue::Of(-1).bytes(), std::string(8, '\xFF'));
  EXPECT_EQ(PostgresValue::Of(true).bytes(), std::string("\1", 1));
  EXPECT_EQ(PostgresValue::Of(FromUnixMillis(7)).type(), PostgresType::kBigint);
}

TEST(PostgresValue, ReadsWhatItWrites) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-5}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(ReadPostgresInt(PostgresValue::Of(value).bytes()), value);
  }
  EXPECT_EQ(ReadPostgresReal(PostgresValue::Of(-2.75).bytes()), -2.75);
  EXPECT_EQ(ReadPostgresReal(PostgresValue::Of(0.1F).bytes()), 0.1F);
  EXPECT_EQ(ReadPostgresInt(std::string("\xFF\xFE", 2)), -2) << "smallint";
  EXPECT_EQ(ReadPostgresInt("odd"), 0);
}

TEST(PostgresValue, KnowsNullFromEmpty) {
  EXPECT_TRUE(PostgresValue::Of(std::optional<std::string>()).is_null());
  EXPECT_EQ(PostgresValue::Of(std::optional<std::string>()).type(), PostgresType::kText);
  EXPECT_FALSE(PostgresValue::Of(std::optional<std::string>("")).is_null());
  EXPECT_FALSE(PostgresValue::Of(PostgresBytes{""}).is_null());
}

TEST(PostgresValue, ArraysKeepTheirElementsAsTheyAre) {
  const std::vector<std::string> texts = {"", "a,b", "\"{}\"", std::string("\0", 1)};
  const PostgresValue array = PostgresValue::Of(texts);
  EXPECT_EQ(array.type(), PostgresType::kTextArray);
  EXPECT_THAT(SplitPostgresArray(array.bytes()).value(),
              ElementsAre("", "a,b", "\"{}\"", std::string("\0", 1)));
  EXPECT_THAT(SplitPostgresArray(PostgresValue::Of(std::vector<std::int64_t>()).bytes()).value(),
              IsEmpty());
  const std::vector<std::optional<std::int64_t>> gaps = {std::nullopt, 3};
  EXPECT_EQ(PostgresValue::Of(gaps).bytes()[7], '\1') << "it says that there are NULLs";
  EXPECT_EQ(SplitPostgresArray(PostgresValue::Of(gaps).bytes())->at(0), "");
}

TEST(PostgresValue, ABrokenArrayIsNone) {
  const std::string whole = PostgresValue::Of(std::vector<std::string>{"ab", "cd"}).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(SplitPostgresArray(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
}

TEST(PostgresText, IsMadeFitForAColumn) {
  EXPECT_EQ(TextForPostgres("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(TextForPostgres(std::string("a\0b", 3)), "a?b");
  EXPECT_EQ(TextForPostgres("a\xFF"), "a?");
  EXPECT_EQ(ErrorForPostgres(std::string(5000, 'x')).size(), 2000U);
}

TEST(PostgresUrl, NamesTheServer) {
  const PostgresEndpoint endpoint =
      ParsePostgresUrl("postgres://ann:p%40ss@db.example:6000/memory?sslmode=require").value();
  EXPECT_EQ(endpoint.name, "PostgreSQL at db.example:6000");
  EXPECT_EQ(endpoint.host, "db.example");
  EXPECT_EQ(endpoint.user, "ann");
  EXPECT_EQ(endpoint.password, "p@ss");
  EXPECT_EQ(ParsePostgresUrl("postgresql://[::1]/x")->name, "PostgreSQL at [::1]:5432");
  EXPECT_EQ(ParsePostgresUrl("postgres:///x?host=/run/pg")->host, "") << "nothing to look up";
  EXPECT_EQ(ParsePostgresUrl("postgres://a,b/x")->host, "") << "libpq chooses";
}

TEST(PostgresUrl, ABadOneIsRefusedWithoutBeingRepeated) {
  for (const std::string url :
       {"", "redis://x", "host=x password=s3cret", "postgres://u:s3cret%zz@h/d",
        "postgres://u:s3cret@h:1/d?nonsense=1"}) {
    const auto parsed = ParsePostgresUrl(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("s3cret")));
  }
}

TEST(PostgresErrors, SayWhatTheCallerMayDo) {
  const PostgresEndpoint endpoint = ParsePostgresUrl("postgres://u:s3cret@h/d").value();
  const auto code = [&](std::string_view sqlstate) {
    return ExplainSqlState(sqlstate, "words", endpoint).code;
  };
  EXPECT_EQ(code("53100"), ErrorCode::kStorageFull);
  EXPECT_EQ(code("57014"), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(code("23505"), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code("22021"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("42601"), ErrorCode::kInternal);
  for (const std::string_view soon :
       {"57P01", "57P03", "08006", "53300", "58030", "25006", "40001"}) {
    EXPECT_EQ(code(soon), ErrorCode::kUnavailable) << soon;
    EXPECT_TRUE(ExplainSqlState(soon, "", endpoint).retry_after.has_value()) << soon;
  }
  for (const std::string_view operators : {"28P01", "28000", "3D000", "42P01", "42501"}) {
    EXPECT_EQ(code(operators), ErrorCode::kFailedPrecondition) << operators;
  }
}

TEST(PostgresErrors, NameTheServerAndNeverThePassword) {
  const PostgresEndpoint endpoint = ParsePostgresUrl("postgres://u:s3cret@h/d").value();
  const Error error = ExplainSqlState("XX000", "you said s3cret\nand s3cret", endpoint);
  EXPECT_THAT(error.message, HasSubstr("PostgreSQL at h:5432: "));
  EXPECT_THAT(error.message, HasSubstr("you said *** and ***"));
}

TEST(PostgresErrors, AConnectionThatFailedTellsWhy) {
  const PostgresEndpoint endpoint = ParsePostgresUrl("postgres://u:s3cret@h/d").value();
  const auto explain = [&](std::string_view message) {
    return ExplainConnectFailure(message, endpoint);
  };
  EXPECT_EQ(explain("connection to server at \"h\" failed: FATAL:  28P01\n").code,
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(explain("connection failed: FATAL:  57P03: the database system is starting up").code,
            ErrorCode::kUnavailable);
  EXPECT_THAT(explain("connection failed: FATAL:  3D000\n").message, HasSubstr("no such database"));
  EXPECT_EQ(explain("fe_sendauth: no password supplied").code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(explain("Connection refused\n\tIs the server running?").code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace umbranet
