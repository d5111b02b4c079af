#include "tests/integration/postgres_harness.h"

#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/base/unique_id.h"

#include "tests/integration/servers.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

}  // namespace

std::string MissingPostgres() {
  return MissingServer("POSTGRES_URL");
}

PostgresSchema::PostgresSchema() : name_("umbranet_test_" + RandomHex(8)) {
  const auto pool = OpenPool(1);
  const auto migrated = Migrate(*pool, kNever);
  if (!migrated.ok()) {
    ADD_FAILURE() << migrated.error().message;
    std::abort();
  }
}

PostgresSchema::~PostgresSchema() {
  const auto pool = OpenPool(1);
  const Status dropped = pool->Run(kNever, [this](PostgresConnection& connection) {
    return connection.RunScript("DROP SCHEMA IF EXISTS " + name_ + " CASCADE");
  });
  EXPECT_TRUE(dropped.ok()) << dropped.error().message;
}

std::unique_ptr<PostgresPool> PostgresSchema::OpenPool(std::size_t connections_max) const {
  PostgresPool::Options options = Options();
  options.connections_max = connections_max;
  return PostgresPool::Open(std::move(options)).value();
}

PostgresPool::Options PostgresSchema::Options() const {
  PostgresPool::Options options;
  options.url = ServerUrl("POSTGRES_URL").value_or("");
  options.schema = name_;
  return options;
}

}  // namespace umbranet
