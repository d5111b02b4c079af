// A journal that never stands in the way of a chat: while the one behind it is away, or has not
// answered in time, turns go to the spool, and a SpoolForwarder brings them home.
//
// - Accept: kSpooled is the state of a turn that is durable in the spool alone. A user's turns keep
//   their order: as long as any of his waits in the spool, the next one goes there too. That the
//   outcome at the journal behind is unknown does no harm, since the same turn is accepted once.
// - What is read holds the spooled turns as well, after those of the journal behind, with
//   sequences from kSpooledSequences on; once forwarded, a turn has another sequence.
// - Reading is as strict as ports/journal.h says: when the journal behind is away, it fails, unless
//   all that was asked for is in the spool. Only FindAnswer then says that it knows of none: the
//   turn is repeated under the same id, which stores nothing twice.
//
// All methods may be called from any thread.
#pragma once

#include <cstdint>

#include "umbranet/base/clock.h"
#include "umbranet/memory/spool_book.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/turn_spool.h"

namespace umbranet {

// Above every sequence of a journal, with room to be multiplied by a few.
inline constexpr std::int64_t kSpooledSequences = std::int64_t{1} << 60U;

// Whether an error says that the journal is away, or leaves open what it did.
bool LeavesTurnsToTheSpool(const Error& error);

class SpoolingJournal final : public Journal {
 public:
  struct Options {
    Millis patience{250};  // With the journal behind, before a turn goes to the spool.
  };

  // Everything must outlive it. `book` knows whose turns wait in `spool`.
  SpoolingJournal(const Clock& clock, Journal& journal, TurnSpool& spool, SpoolBook& book,
                  Options options);

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
  [[nodiscard]] Status CheckThere() const;
  [[nodiscard]] bool HoldsAnyOf(std::span<const Interaction> turns) const;
  Result<std::vector<AcceptedTurn>> Spool(std::span<const Interaction> turns, RunMode mode,
                                          std::string_view traceparent, Deadline deadline);
  // Says so in the book when the error means it.
  void Note(const Error& error);

  const Clock& clock_;
  Journal& journal_;
  TurnSpool& spool_;
  SpoolBook& book_;
  const Options options_;
};

}  // namespace umbranet
