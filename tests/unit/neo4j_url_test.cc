// Goal: NEO4J_URL is read as it is documented, what cannot be is refused with what to write, and no
// sentence holds the password; node keys differ when anything that they are made of does.
// Method: tables.
#include "umbranet/adapters/neo4j/neo4j_url.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/neo4j/graph_keys.h"
#include "umbranet/adapters/neo4j/neo4j_errors.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(Neo4jUrl, ReadsServerCredentialsAndDatabase) {
  const auto url = ParseNeo4jUrl("https://neo4j:p%40ss%3Aword@graph.example.com:7000/memory");
  ASSERT_TRUE(url.ok()) << url.error().message;
  EXPECT_TRUE(url->base.tls);
  EXPECT_EQ(url->base.host, "graph.example.com");
  EXPECT_EQ(url->base.port, 7000);
  EXPECT_EQ(url->user, "neo4j");
  EXPECT_EQ(url->password, "p@ss:word");
  EXPECT_EQ(url->database, "memory");
  EXPECT_EQ(NameOfServer(*url), "Neo4j at https://graph.example.com:7000");
}

TEST(Neo4jUrl, KnowsNeo4jsOwnPortsAndDatabase) {
  EXPECT_EQ(ParseNeo4jUrl("http://localhost")->base.port, 7474);
  EXPECT_EQ(ParseNeo4jUrl("https://localhost")->base.port, 7473);
  EXPECT_EQ(ParseNeo4jUrl("http://[::1]/")->base.port, 7474);
  EXPECT_EQ(ParseNeo4jUrl("http://[::1]:80")->base.port, 80);
  EXPECT_EQ(ParseNeo4jUrl("http://localhost/")->database, "neo4j");
  EXPECT_EQ(BasicAuthorization(*ParseNeo4jUrl("http://localhost")), "");
  EXPECT_EQ(BasicAuthorization(*ParseNeo4jUrl("http://Aladdin:open%20sesame@localhost")),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(Neo4jUrl, RefusesWhatCannotBeAndRepeatsNothing) {
  for (const char* text :
       {"", "localhost:7474", "bolt://neo4j:hush@localhost:7687", "neo4j+s://neo4j:hush@localhost",
        "http://neo4j:hush@", "http://neo4j:hu%zzsh@localhost", "http://:hush@localhost",
        "http://neo4j:hush@localhost:99999", "http://neo4j:hush@localhost/a/b",
        "http://neo4j:hush@localhost/a?b", "http://neo4j:hush@localhost/a%20b"}) {
    const auto url = ParseNeo4jUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(url.error().message, HasSubstr("NEO4J_URL"));
    EXPECT_THAT(url.error().message, Not(HasSubstr("hush")));
  }
}

TEST(Neo4jKeys, DifferWhereAnyPartDoes) {
  const UserKey user{"t", "u"};
  const GraphKeys keys("");
  const std::set<std::string> all = {
      keys.User(user),
      keys.User({"tu", ""}),
      keys.User({"", "tu"}),
      GraphKeys("x").User(user),
      keys.Entity(user, ""),
      keys.Entity(user, "ana"),
      keys.Name(user, "ana"),
      keys.Merge(user, {"a", "bc"}),
      keys.Merge(user, {"ab", "c"}),
      keys.Merge(user, {"a1:b", "c"}),
      keys.Marker(user, "ana"),
      keys.Statement("t", "ana"),
      keys.Statement("u", "ana"),
  };
  EXPECT_THAT(all, SizeIs(13));
  for (const std::string& key : all) {
    EXPECT_THAT(key, SizeIs(64));
  }
}

TEST(Neo4jErrors, TellTheCallerWhatToDo) {
  const Neo4jServer server{"Neo4j at http://a:7474", "neo4j"};

  struct Case {
    const char* code;
    const char* message;
    ErrorCode expected;
    Neo4jRefusal refusal;
  };

  for (const Case& given : std::vector<Case>{
           {"Neo.TransientError.Transaction.DeadlockDetected", "", ErrorCode::kUnavailable,
            Neo4jRefusal::kAgain},
           {"Neo.ClientError.Schema.ConstraintValidationFailed", "", ErrorCode::kAlreadyExists,
            Neo4jRefusal::kConstraint},
           {"Neo.ClientError.Statement.ArithmeticError", "/ by zero", ErrorCode::kAborted,
            Neo4jRefusal::kArithmetic},
           {"Neo.ClientError.Security.Unauthorized", "", ErrorCode::kFailedPrecondition,
            Neo4jRefusal::kNone},
           {"Neo.ClientError.Security.AuthenticationRateLimit", "", ErrorCode::kUnavailable,
            Neo4jRefusal::kNone},
           {"Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", "",
            ErrorCode::kFailedPrecondition, Neo4jRefusal::kNone},
           {"Neo.DatabaseError.Transaction.TransactionCommitFailed", "No space left on device",
            ErrorCode::kStorageFull, Neo4jRefusal::kNone},
           // What a server over a full disk has said.
           {"Neo.DatabaseError.Transaction.TransactionLogError", "Unable to write to the log",
            ErrorCode::kUnavailable, Neo4jRefusal::kNone},
           {"Neo.DatabaseError.Transaction.TransactionStartFailed", "", ErrorCode::kUnavailable,
            Neo4jRefusal::kNone},
           {"Neo.ClientError.Transaction.TransactionTimedOut", "", ErrorCode::kDeadlineExceeded,
            Neo4jRefusal::kNone},
           {"Neo.TransientError.General.MemoryPoolOutOfMemoryError", "",
            ErrorCode::kResourceExhausted, Neo4jRefusal::kNone},
           {"Neo.TransientError.General.DatabaseUnavailable", "", ErrorCode::kUnavailable,
            Neo4jRefusal::kNone},
           // Two processes made one constraint at a time.
           {"Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists", "", ErrorCode::kUnavailable,
            Neo4jRefusal::kAgain},
           {"Neo.ClientError.Statement.SyntaxError", "of ours", ErrorCode::kInternal,
            Neo4jRefusal::kNone}}) {
    const Neo4jFailure failure = ExplainNeo4jError(given.code, given.message, server);
    EXPECT_EQ(failure.error.code, given.expected) << given.code;
    EXPECT_EQ(failure.refusal, given.refusal) << given.code;
    EXPECT_THAT(failure.error.message, HasSubstr(server.name));
    EXPECT_THAT(failure.error.message, Not(HasSubstr("of ours")));
  }
}

}  // namespace
}  // namespace umbranet
