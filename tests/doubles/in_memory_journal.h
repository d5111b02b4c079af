// The journal in memory, for tests. Any thread.
#pragma once

#include "umbranet/ports/journal.h"

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

class InMemoryJournal final : public Journal {
 public:
  // `store` must outlive the journal.
  explicit InMemoryJournal(InMemoryLedgerStore& store) : store_(store) {}

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
  Result<RecallOpening> OpenRecall(const RecallOpeningQuery& query, Deadline deadline) override;
  Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) override;
  Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                 std::string_view idempotency_key,
                                                 Deadline deadline) override;
  Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                    const StoredAnswer& answer, Deadline deadline) override;

 private:
  std::vector<std::int64_t> UnreflectedOf(const UserKey& user, std::size_t limit) const
      REQUIRES(store_.mutex);
  Freshness FreshnessOf(const UserKey& user) REQUIRES(store_.mutex);
  AcceptedTurn AcceptOne(const Interaction& turn, RunMode mode, std::string_view traceparent)
      REQUIRES(store_.mutex);
  JobStatus StatusOf(std::int64_t seq, const InMemoryLedgerStore::Turn& turn)
      REQUIRES(store_.mutex);

  InMemoryLedgerStore& store_;
};

}  // namespace umbranet
