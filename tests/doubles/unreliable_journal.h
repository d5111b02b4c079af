// A journal that can be away, and that can store turns without saying so. Any thread; a test turns
// the fault on and off.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/ports/journal.h"

namespace umbranet {

class UnreliableJournal final : public Journal {
 public:
  enum class Fault : std::uint8_t {
    kNone,
    kAway,         // Every call fails, and nothing happens.
    kLosesAnswer,  // Accept stores and then fails as if its answer had been lost.
    kFull,         // Accept has no room.
  };

  explicit UnreliableJournal(Journal& inner) : inner_(inner) {}

  void Set(Fault fault) { fault_.store(fault); }

  [[nodiscard]] std::uint64_t Calls() const { return calls_.load(); }

  Result<std::vector<AcceptedTurn>> Accept(std::span<const Interaction> turns, RunMode mode,
                                           std::string_view traceparent,
                                           Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    if (fault_.load() == Fault::kFull) {
      return Error{ErrorCode::kStorageFull, "journal: no room"};
    }
    auto accepted = inner_.Accept(turns, mode, traceparent, deadline);
    if (fault_.load() == Fault::kLosesAnswer) {
      return DeadlineExceeded("journal: no answer in time");
    }
    return accepted;
  }

  Result<std::vector<Interaction>> Read(const UserKey& user,
                                        std::span<const std::string> interaction_ids,
                                        Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.Read(user, interaction_ids, deadline);
  }

  Result<JournalPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                           Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.List(user, cursor, limit, deadline);
  }

  Result<std::vector<Interaction>> Recent(const UserKey& user, std::string_view session_id,
                                          std::int64_t before_sequence, std::size_t limit,
                                          Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.Recent(user, session_id, before_sequence, limit, deadline);
  }

  Result<std::vector<std::int64_t>> Unreflected(const UserKey& user, std::size_t limit,
                                                Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.Unreflected(user, limit, deadline);
  }

  Result<std::vector<Interaction>> ReadAt(const UserKey& user,
                                          std::span<const std::int64_t> sequences,
                                          Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.ReadAt(user, sequences, deadline);
  }

  Result<Freshness> ReadFreshness(const UserKey& user, Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.ReadFreshness(user, deadline);
  }

  Result<RecallOpening> OpenRecall(const RecallOpeningQuery& query, Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.OpenRecall(query, deadline);
  }

  Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.EraseUser(user, deadline);
  }

  Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                 std::string_view idempotency_key,
                                                 Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.FindAnswer(tenant, idempotency_key, deadline);
  }

  Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                    const StoredAnswer& answer, Deadline deadline) override {
    UMBRANET_RETURN_IF_ERROR(Reach());
    return inner_.SaveAnswer(user, idempotency_key, answer, deadline);
  }

 private:
  Status Reach() {
    ++calls_;
    return fault_.load() == Fault::kAway ? Status(Unavailable("journal: away")) : Status();
  }

  Journal& inner_;
  std::atomic<Fault> fault_{Fault::kNone};
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace umbranet
