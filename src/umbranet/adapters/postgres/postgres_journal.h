// The journal on PostgreSQL. See ports/journal.h for its promises.
//
// Turns that are accepted at the same time share transactions. Any thread.
#pragma once

#include <cstdint>

#include "umbranet/adapters/postgres/accept_batcher.h"
#include "umbranet/adapters/postgres/ledger_store.h"
#include "umbranet/ports/journal.h"

namespace umbranet {

class PostgresJournal final : public Journal {
 public:
  // `store` must outlive the journal.
  explicit PostgresJournal(PostgresLedgerStore& store);

  Result<std::vector<AcceptedTurn>> Accept(std::span<const Interaction> turns, RunMode mode,
                                           std::string_view traceparent,
                                           Deadline deadline) override;
  Result<std::vector<Interaction>> Read(const UserKey& user,
                                        std::span<const std::string> interaction_ids,
                                        Deadline deadline) override;
  Result<JournalPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override;
  Result<std::vector<Interaction>> Recent(const UserKey& user, std::string_view session_id,
                                          std::int64_t before_sequence, std::size_t limit,
                                          Deadline deadline) override;
  Result<std::vector<std::int64_t>> Unreflected(const UserKey& user, std::size_t limit,
                                                Deadline deadline) override;
  Result<std::vector<Interaction>> ReadAt(const UserKey& user,
                                          std::span<const std::int64_t> sequences,
                                          Deadline deadline) override;
  Result<Freshness> ReadFreshness(const UserKey& user, Deadline deadline) override;
  // In one round trip.
  Result<RecallOpening> OpenRecall(const RecallOpeningQuery& query, Deadline deadline) override;
  Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                 std::string_view idempotency_key,
                                                 Deadline deadline) override;
  Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                    const StoredAnswer& answer, Deadline deadline) override;

 private:
  PostgresLedgerStore& store_;
  AcceptBatcher batcher_;
};

}  // namespace umbranet
