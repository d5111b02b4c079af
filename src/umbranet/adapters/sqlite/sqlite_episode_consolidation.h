// Consolidated episodes in the ledger's file. See ports/episode_consolidation.h for the promises.
// They are few, so a search reads the terms of all that the user has. One process has the file, so
// that claims which are there before its first are of one that died. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/ledger_store.h"
#include "umbranet/base/mutex.h"
#include "umbranet/ports/episode_consolidation.h"

namespace umbranet {

class SqliteEpisodeConsolidation final : public EpisodeConsolidation {
 public:
  // `store` must outlive it. One of them to a file.
  explicit SqliteEpisodeConsolidation(SqliteLedgerStore& store) : store_(store) {}

  Result<std::optional<ConsolidationClaim>> Claim(const ConsolidationPolicy& policy,
                                                  Deadline deadline) override;
  Result<ConsolidatedEpisode> Save(const ConsolidationClaim& claim, std::string_view text,
                                   std::string_view model, Deadline deadline) override;
  Status PutOff(const ConsolidationClaim& claim, const ConsolidationRest& rest,
                Deadline deadline) override;
  Result<std::vector<ConsolidatedEpisode>> Find(const ConsolidatedQuery& query,
                                                Deadline deadline) override;
  Result<ConsolidatedPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                                Deadline deadline) override;
  Result<std::optional<ConsolidatedEpisode>> Get(std::string_view tenant,
                                                 std::string_view memory_id,
                                                 Deadline deadline) override;
  Result<std::map<std::string, std::string>> ConsolidatedIn(const UserKey& user,
                                                            std::span<const std::string> memory_ids,
                                                            Deadline deadline) override;
  Result<bool> Undo(std::string_view tenant, std::string_view memory_id,
                    Deadline deadline) override;
  Result<std::uint64_t> UndoAll(const UserKey& user, Deadline deadline) override;
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

 private:
  Status EndClaimsOfTheDead(Deadline deadline);

  SqliteLedgerStore& store_;
  Mutex mutex_;
  bool dead_are_gone_ GUARDED_BY(mutex_) = false;
};

}  // namespace umbranet
