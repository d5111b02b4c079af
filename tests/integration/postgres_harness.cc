#include "tests/integration/postgres_harness.h"

#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_forgetting_record.h"
#include "umbranet/adapters/postgres/postgres_job_ledger.h"
#include "umbranet/adapters/postgres/postgres_journal.h"
#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/postgres/postgres_model_usage_book.h"
#include "umbranet/adapters/postgres/postgres_shadow_records.h"
#include "umbranet/base/unique_id.h"

#include "tests/integration/servers.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();

// As new, but for keys, which nobody sees. Tokens begin at 1, as the twin's do.
constexpr const char* kEmpty = R"sql(
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
      AND tablename NOT IN ('schema_migration', 'ledger_value') LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
      AND indexname LIKE 'episode\_vector\_near\_%' LOOP
    EXECUTE format('DROP INDEX %I', name);
  END LOOP;
END
$$;
UPDATE ledger_value SET value = 0;
SELECT setval('ledger_fence', 1, false), setval('ledger_seq', 1, false);
)sql";

// The schema that no test uses at the moment; dropped when all tests are through.
class SpareSchema final : public testing::Environment {
 public:
  void TearDown() override { spare_.reset(); }

  std::unique_ptr<PostgresSchema> Take() {
    return spare_ != nullptr ? std::move(spare_) : std::make_unique<PostgresSchema>();
  }

  void GiveBack(std::unique_ptr<PostgresSchema> schema) { spare_ = std::move(schema); }

 private:
  std::unique_ptr<PostgresSchema> spare_;
};

SpareSchema& Spare() {
  // Google Test owns it.
  static auto* const spare = new SpareSchema;
  [[maybe_unused]] static const auto* const added = testing::AddGlobalTestEnvironment(spare);
  return *spare;
}

class PostgresLedgerHarness final : public LedgerHarness {
 public:
  PostgresLedgerHarness() : pool_(schema_->OpenPool()) { Open(); }

  ~PostgresLedgerHarness() override {
    Close();
    pool_.reset();
  }

  Journal& journal() override { return *journal_; }

  JobLedger& ledger() override { return *ledger_; }

  ShadowRecords* shadow() override { return shadow_.get(); }

  ForgettingRecord* forgettings() override { return forgettings_.get(); }

  ModelUsageBook* usage_book() override { return usage_book_.get(); }

  bool Restart() override {
    Close();
    Open();
    return true;
  }

 private:
  void Open() {
    PostgresLedgerStore::Options options;
    options.clock = &clock;
    store_ = PostgresLedgerStore::Open(*pool_, options).value();
    journal_ = std::make_unique<PostgresJournal>(*store_);
    ledger_ = std::make_unique<PostgresJobLedger>(*store_);
    shadow_ = std::make_unique<PostgresShadowRecords>(*store_);
    forgettings_ = std::make_unique<PostgresForgettingRecord>(*store_);
    usage_book_ = std::make_unique<PostgresModelUsageBook>(*pool_);
  }

  void Close() {
    usage_book_.reset();
    forgettings_.reset();
    shadow_.reset();
    ledger_.reset();
    journal_.reset();
    store_.reset();
  }

  BorrowedPostgresSchema schema_;
  std::unique_ptr<PostgresPool> pool_;
  std::unique_ptr<PostgresLedgerStore> store_;
  std::unique_ptr<PostgresJournal> journal_;
  std::unique_ptr<PostgresJobLedger> ledger_;
  std::unique_ptr<PostgresShadowRecords> shadow_;
  std::unique_ptr<PostgresForgettingRecord> forgettings_;
  std::unique_ptr<PostgresModelUsageBook> usage_book_;
};

}  // namespace

BorrowedPostgresSchema::BorrowedPostgresSchema() : schema_(Spare().Take()) {
  const auto pool = schema_->OpenPool(1);
  const Status emptied = pool->Run(
      kNever, [](PostgresConnection& connection) { return connection.RunScript(kEmpty); });
  EXPECT_TRUE(emptied.ok()) << emptied.error().message;
}

BorrowedPostgresSchema::~BorrowedPostgresSchema() {
  Spare().GiveBack(std::move(schema_));
}

std::int64_t PostgresSchema::Count(std::string_view sql) const {
  const SystemClock clock;
  const auto pool = OpenPool(1);
  const auto count =
      pool->Read(Deadline::After(clock, std::chrono::seconds(5)),
                 [sql](PostgresConnection& connection) -> Result<std::int64_t> {
                   UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql));
                   return rows[0].Int(0);
                 });
  return count.ok() ? *count : -1;
}

PostgresPool::Options PostgresSchema::OptionsAt(const std::string& host, std::uint16_t port) const {
  PostgresPool::Options options = Options();
  const std::size_t credentials = options.url.find('@');
  const std::size_t scheme = options.url.find("://") + 3;
  const std::size_t begin = credentials == std::string::npos ? scheme : credentials + 1;
  const std::size_t end = options.url.find_first_of("/?", begin);
  options.url.replace(begin, (end == std::string::npos ? options.url.size() : end) - begin,
                      host + ":" + std::to_string(port));
  return options;
}

std::uint16_t PostgresSchema::ServerPort() const {
  const PostgresEndpoint endpoint = ParsePostgresUrl(Options().url).value();
  return static_cast<std::uint16_t>(endpoint.port.empty() ? 5432 : std::stoi(endpoint.port));
}

LedgerEngine PostgresLedgerEngine() {
  return {"Postgres", [] { return std::make_unique<PostgresLedgerHarness>(); }, MissingPostgres};
}

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
