// Every store of the MemoryManager as a mock that holds nothing and succeeds, so that a test says
// only what it is about: what one store brings, how it fails, or that it is late.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "umbranet/domain/reflection_job.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

class MockJournal : public Journal {
 public:
  MockJournal() {
    ON_CALL(*this, Accept)
        .WillByDefault([this](std::span<const Interaction> turns, RunMode, std::string_view,
                              Deadline) -> Result<std::vector<AcceptedTurn>> {
          std::vector<AcceptedTurn> accepted;
          for (const Interaction& turn : turns) {
            accepted.push_back({.interaction_id = turn.interaction_id,
                                .job_id = MakeJobId(turn.user, turn.interaction_id),
                                .sequence = ++sequence_});
          }
          return accepted;
        });
    ON_CALL(*this, Read).WillByDefault([](auto&&...) {
      return Result<std::vector<Interaction>>(std::vector<Interaction>());
    });
    ON_CALL(*this, List).WillByDefault([](auto&&...) {
      return Result<JournalPage>(JournalPage());
    });
    ON_CALL(*this, Recent).WillByDefault([](auto&&...) {
      return Result<std::vector<Interaction>>(std::vector<Interaction>());
    });
    ON_CALL(*this, Unreflected).WillByDefault([](auto&&...) {
      return Result<std::vector<std::int64_t>>(std::vector<std::int64_t>());
    });
    ON_CALL(*this, ReadAt).WillByDefault([](auto&&...) {
      return Result<std::vector<Interaction>>(std::vector<Interaction>());
    });
    ON_CALL(*this, ReadFreshness).WillByDefault([](auto&&...) {
      return Result<Freshness>(Freshness());
    });
    ON_CALL(*this, EraseUser).WillByDefault([](auto&&...) {
      return Result<JournalErasure>(JournalErasure());
    });
    ON_CALL(*this, FindAnswer).WillByDefault([](auto&&...) {
      return Result<std::optional<StoredAnswer>>(std::nullopt);
    });
    ON_CALL(*this, SaveAnswer).WillByDefault([](auto&&...) { return Status(); });
  }

  MOCK_METHOD(Result<std::vector<AcceptedTurn>>, Accept,
              (std::span<const Interaction>, RunMode, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::vector<Interaction>>, Read,
              (const UserKey&, std::span<const std::string>, Deadline), (override));
  MOCK_METHOD(Result<JournalPage>, List, (const UserKey&, std::string_view, std::size_t, Deadline),
              (override));
  MOCK_METHOD(Result<std::vector<Interaction>>, Recent,
              (const UserKey&, std::string_view, std::int64_t, std::size_t, Deadline), (override));
  MOCK_METHOD(Result<std::vector<std::int64_t>>, Unreflected,
              (const UserKey&, std::size_t, Deadline), (override));
  MOCK_METHOD(Result<std::vector<Interaction>>, ReadAt,
              (const UserKey&, std::span<const std::int64_t>, Deadline), (override));
  MOCK_METHOD(Result<Freshness>, ReadFreshness, (const UserKey&, Deadline), (override));
  MOCK_METHOD(Result<JournalErasure>, EraseUser, (const UserKey&, Deadline), (override));
  MOCK_METHOD(Result<std::optional<StoredAnswer>>, FindAnswer,
              (std::string_view, std::string_view, Deadline), (override));
  MOCK_METHOD(Status, SaveAnswer, (const UserKey&, std::string_view, const StoredAnswer&, Deadline),
              (override));

 private:
  std::int64_t sequence_ = 0;
};

class MockShortTermMemory : public ShortTermMemory {
 public:
  MockShortTermMemory() {
    ON_CALL(*this, Append).WillByDefault([](auto&&...) { return Status(); });
    ON_CALL(*this, Read).WillByDefault([](auto&&...) {
      return Result<Conversation>(Conversation());
    });
    ON_CALL(*this, ReadAfter)
        .WillByDefault([this](const SessionTail&, const UserKey& user, std::string_view session_id,
                              const ConversationWindow& window, Deadline deadline) {
          return Read(user, session_id, window, deadline);
        });
    ON_CALL(*this, SaveSummary).WillByDefault([](auto&&...) { return Status(); });
    ON_CALL(*this, EraseUser).WillByDefault([](auto&&...) { return Result<std::uint64_t>(0); });
  }

  MOCK_METHOD(Status, Append, (const Interaction&, Deadline), (override));
  MOCK_METHOD(Result<Conversation>, Read,
              (const UserKey&, std::string_view, const ConversationWindow&, Deadline), (override));
  MOCK_METHOD(Result<Conversation>, ReadAfter,
              (const SessionTail&, const UserKey&, std::string_view, const ConversationWindow&,
               Deadline),
              (override));
  MOCK_METHOD(Status, SaveSummary,
              (const UserKey&, std::string_view, std::int64_t, std::string_view, Deadline),
              (override));
  MOCK_METHOD(Result<std::uint64_t>, EraseUser, (const UserKey&, Deadline), (override));
};

// What the mocks of the three reflected tiers share.
template <typename Port>
class MockTier : public Port {
 public:
  MockTier() {
    ON_CALL(*this, Apply).WillByDefault([](auto&&...) { return Status(); });
    ON_CALL(*this, List).WillByDefault([](auto&&...) { return Result<MemoryPage>(MemoryPage()); });
    ON_CALL(*this, Get).WillByDefault([](auto&&...) {
      return Result<std::optional<MemoryItem>>(std::nullopt);
    });
    ON_CALL(*this, Update).WillByDefault([](auto&&...) {
      return Result<std::optional<MemoryItem>>(std::nullopt);
    });
    ON_CALL(*this, Erase).WillByDefault([](auto&&...) { return Result<bool>(false); });
    ON_CALL(*this, EraseUser).WillByDefault([](auto&&...) { return Result<std::uint64_t>(0); });
  }

  MOCK_METHOD(Status, Apply, (std::span<const ReflectionPlan>, const Lease&, Deadline), (override));
  MOCK_METHOD(Result<MemoryPage>, List, (const UserKey&, std::string_view, std::size_t, Deadline),
              (override));
  MOCK_METHOD(Result<std::optional<MemoryItem>>, Get,
              (std::string_view, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::optional<MemoryItem>>, Update,
              (std::string_view, std::string_view, const MemoryPatch&, Deadline), (override));
  MOCK_METHOD(Result<bool>, Erase, (std::string_view, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::uint64_t>, EraseUser, (const UserKey&, Deadline), (override));
};

class MockEpisodicMemory : public MockTier<EpisodicMemory> {
 public:
  MockEpisodicMemory() {
    ON_CALL(*this, Find).WillByDefault([](auto&&...) {
      return Result<EpisodesFound>(EpisodesFound());
    });
    ON_CALL(*this, Unembedded).WillByDefault([](auto&&...) {
      return Result<UnembeddedPage>(UnembeddedPage());
    });
    ON_CALL(*this, SaveVectors).WillByDefault([](auto&&...) { return Status(); });
    ON_CALL(*this, CountVectors).WillByDefault([](auto&&...) { return Result<std::uint64_t>(0); });
  }

  MOCK_METHOD(Result<EpisodesFound>, Find, (const EpisodeQuery&, Deadline), (override));
  MOCK_METHOD(Result<UnembeddedPage>, Unembedded,
              (std::string_view, std::string_view, std::size_t, Deadline), (override));
  MOCK_METHOD(Status, SaveVectors, (std::string_view, std::span<const EpisodeVector>, Deadline),
              (override));
  MOCK_METHOD(Result<std::uint64_t>, CountVectors, (const UserKey&, Deadline), (override));
};

class MockSemanticMemory : public MockTier<SemanticMemory> {
 public:
  MOCK_METHOD(Result<std::uint64_t>, ForgetUser, (const UserKey&, std::int64_t, Deadline),
              (override));

  MockSemanticMemory() {
    ON_CALL(*this, ForgetUser).WillByDefault([](auto&&...) { return Result<std::uint64_t>(0); });
    ON_CALL(*this, Find).WillByDefault([](auto&&...) { return Result<FactsFound>(FactsFound()); });
    ON_CALL(*this, KnownEntities).WillByDefault([](auto&&...) {
      return Result<std::vector<Entity>>(std::vector<Entity>());
    });
    ON_CALL(*this, ReadGraph).WillByDefault([](auto&&...) {
      return Result<KnowledgeGraph>(KnowledgeGraph());
    });
    ON_CALL(*this, Merges).WillByDefault([](auto&&...) {
      return Result<std::vector<EntityMerge>>(std::vector<EntityMerge>());
    });
    ON_CALL(*this, Unmerge).WillByDefault([](auto&&...) {
      return Result<std::size_t>(std::size_t{0});
    });
  }

  MOCK_METHOD(Result<FactsFound>, Find, (const FactQuery&, Deadline), (override));
  MOCK_METHOD(Result<std::vector<Entity>>, KnownEntities, (const UserKey&, std::size_t, Deadline),
              (override));
  MOCK_METHOD(Result<KnowledgeGraph>, ReadGraph, (const UserKey&, std::size_t, Deadline),
              (override));
  MOCK_METHOD(Result<std::vector<EntityMerge>>, Merges, (const UserKey&, std::size_t, Deadline),
              (override));
  MOCK_METHOD(Result<std::size_t>, Unmerge,
              (const UserKey&, std::string_view, std::string_view, Deadline), (override));
};

class MockProceduralMemory : public MockTier<ProceduralMemory> {
 public:
  MockProceduralMemory() {
    ON_CALL(*this, Active).WillByDefault([](auto&&...) {
      return Result<std::vector<Rule>>(std::vector<Rule>());
    });
  }

  MOCK_METHOD(Result<std::vector<Rule>>, Active,
              (const UserKey&, std::optional<Timestamp>, std::size_t, Deadline), (override));
};

class MockDoorbell : public Doorbell {
 public:
  MockDoorbell() {
    ON_CALL(*this, Healthy).WillByDefault([] { return true; });
  }

  MOCK_METHOD(void, Ring, (const ReflectionJob&), (noexcept, override));
  MOCK_METHOD(bool, Wait, (std::stop_token, Deadline), (override));
  MOCK_METHOD(bool, Healthy, (), (const, noexcept, override));
};

class MockJobLedger : public JobLedger {
 public:
  MockJobLedger() {
    ON_CALL(*this, ReflectAgain).WillByDefault([](auto&&...) { return Result<std::uint64_t>(0); });
  }

  MOCK_METHOD(Status, Enqueue, (std::span<const ReflectionJob>, Deadline), (override));
  MOCK_METHOD(Result<std::optional<ClaimedBatch>>, Claim, (const ClaimOptions&, Deadline),
              (override));
  MOCK_METHOD(Result<std::optional<ClaimedBatch>>, ClaimJob,
              (std::string_view, const ClaimOptions&, Deadline), (override));
  MOCK_METHOD(Status, Extend, (const Lease&, Deadline), (override));
  MOCK_METHOD(Result<std::vector<PlanRecord>>, SavePlans,
              (const Lease&, std::span<const PlanRecord>, Deadline), (override));
  MOCK_METHOD(Status, MarkTiersDone, (const Lease&, std::span<const TierProgress>, Deadline),
              (override));
  MOCK_METHOD(Result<SettleReport>, Settle, (const Lease&, std::span<const JobFailure>, Deadline),
              (override));
  MOCK_METHOD(Status, Release, (const Lease&, Deadline), (override));
  MOCK_METHOD(Result<SweepReport>, Sweep, (Deadline), (override));
  MOCK_METHOD(Result<std::optional<JobStatus>>, Find,
              (std::string_view, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<LedgerStats>, Stats, (Deadline), (override));
  MOCK_METHOD(Result<DeadPage>, ListDead,
              (const DeadFilter&, std::string_view, std::size_t, Deadline), (override));
  MOCK_METHOD(Result<std::optional<JobStatus>>, FindDead, (std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::uint64_t>, RequeueDead, (std::string_view, std::string_view, Deadline),
              (override));
  MOCK_METHOD(Result<std::uint64_t>, RequeueDeadMatching,
              (const DeadFilter&, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::uint64_t>, DiscardDead,
              (std::string_view, std::string_view, std::string_view, Deadline), (override));
  MOCK_METHOD(Result<std::uint64_t>, ReflectAgain, (const UserKey&, Deadline), (override));
};

// All of them together, as a MemoryManager takes them.
struct MockStores {
  ::testing::NiceMock<MockJournal> journal;
  ::testing::NiceMock<MockJobLedger> ledger;
  ::testing::NiceMock<MockDoorbell> doorbell;
  ::testing::NiceMock<MockShortTermMemory> short_term;
  ::testing::NiceMock<MockEpisodicMemory> episodic;
  ::testing::NiceMock<MockSemanticMemory> semantic;
  ::testing::NiceMock<MockProceduralMemory> procedural;
};

}  // namespace umbranet
