// Goal: the tables are made by a user who may make no extension, where an administrator has made
// it; where nobody has, the operator is told what to do. Method: a database and a role of the
// test's own on the real server.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/base/unique_id.h"

#include "tests/integration/postgres_harness.h"

namespace umbranet {
namespace {

using testing::HasSubstr;

const Deadline kNever = Deadline::Never();

class PostgresRights : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    server_.emplace();
    if (!HasPostgresExtension(*server_->OpenPool(), "vector", kNever).value()) {
      GTEST_SKIP() << "this server has no pgvector";
    }
    Administer("", "CREATE ROLE " + name_ + " LOGIN PASSWORD '" + password_ + "'");
    Administer("", "CREATE DATABASE " + name_);
    // Its own schema, and no right to anything else in the database.
    Administer(name_, "CREATE SCHEMA " + name_ + " AUTHORIZATION " + name_);
  }

  void TearDown() override {
    if (server_.has_value()) {
      Administer("", "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
      Administer("", "DROP ROLE IF EXISTS " + name_);
    }
  }

  // The server's URL with another database or other credentials in it, where they are given.
  [[nodiscard]] std::string Url(const std::string& database, const std::string& credentials) const {
    std::string url = server_->Options().url;
    const std::size_t scheme = url.find("://") + 3;
    if (!credentials.empty()) {
      url.replace(scheme, url.find('@') - scheme, credentials);
    }
    const std::size_t slash = url.find('/', url.find('@'));
    const std::size_t end = std::min(url.find('?', slash), url.size());
    if (!database.empty()) {
      url.replace(slash + 1, end - slash - 1, database);
    }
    return url;
  }

  void Administer(const std::string& database, const std::string& statement) const {
    PostgresPool::Options options{.url = Url(database, ""), .schema = ""};
    const auto pool = PostgresPool::Open(options).value();
    const Status done = pool->Run(kNever, [&](PostgresConnection& connection) -> Status {
      // A script goes by the limit that the statement before it was given; making and dropping a
      // database takes seconds.
      UMBRANET_RETURN_IF_ERROR(connection.Query("SELECT 1"));
      return connection.RunScript(statement);
    });
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  [[nodiscard]] std::unique_ptr<PostgresPool> OpenAsTheUser() const {
    return PostgresPool::Open({.url = Url(name_, name_ + ":" + password_), .schema = name_})
        .value();
  }

  const std::string name_ = "umbranet_rights_" + RandomHex(8);
  const std::string password_ = RandomHex(16);
  std::optional<PostgresSchema> server_;
};

TEST_F(PostgresRights, AnExtensionThatIsThereIsUsedByOneWhoMayNotCreateIt) {
  Administer(name_, "CREATE EXTENSION vector SCHEMA public");
  const auto pool = OpenAsTheUser();
  const auto report = Migrate(*pool, kNever);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->left_out, 0U);
  EXPECT_EQ(report->applied, AllPostgresMigrations().size());
  EXPECT_TRUE(CheckSchema(*pool, kNever).ok());
}

TEST_F(PostgresRights, OneWhoMayNotCreateItIsToldWhatAnAdministratorHasToDo) {
  const auto refused = Migrate(*OpenAsTheUser(), kNever);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("CREATE EXTENSION vector"));
  EXPECT_THAT(refused.error().message, HasSubstr("administrator"));
}

}  // namespace
}  // namespace umbranet
