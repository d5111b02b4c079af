#include "umbranet/adapters/postgres/ledger_store.h"

#include <string_view>
#include <utility>

#include "umbranet/adapters/postgres/ledger_sweep.h"

namespace umbranet {

namespace {

constexpr std::string_view kNow = "SELECT ledger_now($1, $2)";
// What the process before has seen last, as far as it wrote it down.
constexpr std::string_view kSelectLastNow =
    "SELECT GREATEST((SELECT value FROM ledger_value WHERE name = 'last_now'),"
    " COALESCE((SELECT enqueued_at FROM job ORDER BY seq DESC LIMIT 1), 0))";

}  // namespace

Result<std::unique_ptr<PostgresLedgerStore>> PostgresLedgerStore::Open(PostgresPool& pool,
                                                                       Options options) {
  std::unique_ptr<PostgresLedgerStore> store(new PostgresLedgerStore(pool, options));
  const Deadline deadline = Deadline::After(store->clock_, options.open_budget);
  const Status loaded = pool.Read(deadline, [&store](PostgresConnection& connection) -> Status {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows last, connection.Query(kSelectLastNow));
    store->Observe(last[0].Int(0));
    return {};
  });
  if (loaded.ok()) {
    // Not waiting for the grace that a sweep gives after a restart of the server.
    [[maybe_unused]] const auto swept =
        ReapLeases(*store, Reaping{.only_of_the_dead = true, .grace = Millis{0}}, deadline);
  }
  return store;
}

PostgresLedgerStore::PostgresLedgerStore(PostgresPool& pool, Options options)
    : pool_(pool),
      options_(options),
      identity_(pool, Deadline::After(clock_, options.open_budget)) {}

PostgresCommand PostgresLedgerStore::NowCommand() const {
  return MakeCommand(kNow, given_now(), seen_now());
}

std::int64_t PostgresLedgerStore::ReadNow(const PostgresRows& rows) {
  Observe(rows[0].Int(0));
  return rows[0].Int(0);
}

Result<std::int64_t> PostgresLedgerStore::Now(PostgresConnection& connection) {
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                            connection.Query(kNow, given_now(), seen_now()));
  return ReadNow(rows);
}

std::optional<std::int64_t> PostgresLedgerStore::given_now() const {
  return options_.clock == nullptr ? std::nullopt
                                   : std::optional(ToUnixMillis(options_.clock->Now()));
}

void PostgresLedgerStore::Observe(std::int64_t now) {
  std::int64_t last = last_now_.load(std::memory_order_relaxed);
  while (last < now && !last_now_.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
  }
}

}  // namespace umbranet
