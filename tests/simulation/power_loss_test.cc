// Goal: after a power cut at any moment every turn that was answered for is there, every user who
// was forgotten is gone, and the file is whole; and the disk that shows it would show a loss.
// Method: the product's journal, ledger and spool work on a disk that keeps unsynced writes apart
// (power_loss_disk.h), in an order that a seed decides; cuts are taken at operations in the middle
// of it, and each is opened again as the product does. With synchronous=FULL, which is what ships
// for what is answered for, nothing may be missing. With NORMAL in its place something must be, and
// even then only from the end. POWER_LOSS_SEEDS=<n> says how many seeds are tried.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_job_ledger.h"
#include "umbranet/adapters/sqlite/sqlite_journal.h"
#include "umbranet/adapters/sqlite/sqlite_turn_spool.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"
#include "tests/simulation/environment.h"
#include "tests/simulation/power_loss_disk.h"
#include "tests/simulation/seeded_random.h"

namespace umbranet {
namespace {

namespace fs = std::filesystem;

const Deadline kNever = Deadline::Never();
constexpr std::size_t kCutsOfAHistory = 6;
constexpr std::int64_t kOperationsBetweenCuts = 400;
constexpr std::int64_t kActs = 120;
constexpr std::int64_t kUsers = 3;

enum class Synchronous : std::uint8_t { kFull, kNormal };

// What somebody was told is safe.
struct Promises {
  std::vector<Interaction> turns;        // In the order of their acceptance.
  std::set<std::string> may_be_missing;  // Forgotten meanwhile, or forwarded.
  std::set<std::string> must_be_missing;
};

struct Cut {
  std::string folder;
  Promises promises;
};

struct Findings {
  std::uint64_t cuts = 0;
  std::uint64_t promised = 0;
  std::uint64_t missing = 0;
  std::uint64_t back = 0;
  std::uint64_t out_of_order = 0;  // There, though one before it is missing.
};

UserKey UserOf(std::int64_t number) {
  return {std::string(kDefaultTenant), "user" + std::to_string(number)};
}

// One history on the disk, and its cuts.
class PowerLoss {
 public:
  PowerLoss(std::uint64_t seed, Synchronous synchronous)
      : random_(seed),
        folder_(testing::TempDir() + "umbranet-power-" + RandomHex(8)),
        cut_random_(seed + (std::uint64_t{1} << 32U)),
        disk_(folder_ + "/live") {
    if (synchronous == Synchronous::kNormal) {
      disk_.IgnoreFull();
    }
  }

  ~PowerLoss() {
    disk_.BeforeEach({});
    fs::remove_all(folder_);
  }

  PowerLoss(const PowerLoss&) = delete;
  PowerLoss& operator=(const PowerLoss&) = delete;

  Findings OfLedger();
  Findings OfSpool();

 private:
  void BeginCutting() {
    {
      const MutexLock lock(mutex_);
      next_cut_ = disk_.operations() +
                  static_cast<std::uint64_t>(cut_random_.Between(1, kOperationsBetweenCuts));
    }
    disk_.BeforeEach([this](std::uint64_t operation) { MaybeCut(operation); });
  }

  void MaybeCut(std::uint64_t operation) {
    const MutexLock lock(mutex_);
    if (operation < next_cut_ || cuts_.size() >= kCutsOfAHistory) {
      return;
    }
    next_cut_ =
        operation + static_cast<std::uint64_t>(cut_random_.Between(1, kOperationsBetweenCuts));
    const std::string folder = folder_ + "/cut" + std::to_string(cuts_.size());
    disk_.CutTo(folder, cut_random_.Next());
    cuts_.push_back({folder, promises_});
  }

  std::vector<Interaction> NewTurns() {
    const UserKey user = UserOf(random_.Below(kUsers));
    std::vector<Interaction> turns;
    for (std::int64_t left = random_.Between(1, 3); left > 0; --left) {
      Interaction turn;
      turn.interaction_id = "turn" + std::to_string(++turns_made_);
      turn.user = user;
      turn.accepted_at = clock_.Now();
      turn.user_message = std::string(static_cast<std::size_t>(random_.Below(3'000)), 'x');
      turns.push_back(turn);
    }
    return turns;
  }

  void Accept(Journal& journal) {
    std::vector<Interaction> turns = NewTurns();
    const auto accepted = journal.Accept(turns, RunMode::kBackground, "", kNever);
    ASSERT_TRUE(accepted.ok()) << accepted.error().message;
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < turns.size(); ++i) {
      turns[i].sequence = (*accepted)[i].sequence;
      promises_.turns.push_back(turns[i]);
    }
  }

  void Forget(Journal& journal) {
    const UserKey user = UserOf(random_.Below(kUsers));
    std::set<std::string> gone;
    {
      const MutexLock lock(mutex_);
      for (const Interaction& turn : promises_.turns) {
        if (turn.user == user) {
          gone.insert(turn.interaction_id);
        }
      }
      promises_.may_be_missing.insert(gone.begin(), gone.end());
    }
    clock_.Advance(Millis{1});
    ASSERT_TRUE(journal.EraseUser(user, kNever).ok());
    const MutexLock lock(mutex_);
    promises_.must_be_missing.insert(gone.begin(), gone.end());
  }

  void Reflect(JobLedger& ledger) {
    const auto batch = ledger.Claim({.worker = "worker"}, kNever);
    ASSERT_TRUE(batch.ok());
    if (!batch->has_value()) {
      return;
    }
    std::vector<PlanRecord> plans;
    std::vector<TierProgress> progress;
    for (const ClaimedJob& job : (*batch)->jobs) {
      plans.push_back({job.job.job_id, std::string(500, 'p')});
      progress.push_back({job.job.job_id, kAllReflectedTiers});
    }
    const Lease lease = (*batch)->lease;
    EXPECT_TRUE(ledger.SavePlans(lease, plans, kNever).ok());
    EXPECT_TRUE(ledger.MarkTiersDone(lease, progress, kNever).ok());
    EXPECT_TRUE(ledger.Settle(lease, {}, kNever).ok());
  }

  void Forward(TurnSpool& spool) {
    const auto turns = spool.ReadOldest(3, kNever);
    ASSERT_TRUE(turns.ok());
    std::vector<std::int64_t> sequences;
    {
      const MutexLock lock(mutex_);
      for (const SpooledTurn& spooled : *turns) {
        sequences.push_back(spooled.turn.sequence);
        // Marked ones may wait once more after the cut: that is harmless.
        promises_.may_be_missing.insert(spooled.turn.interaction_id);
      }
    }
    EXPECT_TRUE(spool.MarkForwarded(sequences, kNever).ok());
    clock_.Advance(Millis{1'000});
    EXPECT_TRUE(spool.Purge(Millis{3'000}, kNever).ok());
  }

  static void Compare(const Cut& cut, const std::set<std::string>& found, Findings& findings) {
    ++findings.cuts;
    bool gap = false;
    for (const Interaction& turn : cut.promises.turns) {
      const bool there = found.contains(turn.interaction_id);
      const bool excused = cut.promises.may_be_missing.contains(turn.interaction_id);
      findings.promised += excused ? 0 : 1;
      findings.missing += !excused && !there ? 1 : 0;
      findings.out_of_order += !excused && there && gap ? 1 : 0;
      gap = gap || (!excused && !there);
      findings.back +=
          there && cut.promises.must_be_missing.contains(turn.interaction_id) ? 1U : 0U;
    }
  }

  void JudgeLedger(const Cut& cut, Findings& findings);
  void JudgeSpool(const Cut& cut, Findings& findings);

  SeededRandom random_;
  const std::string folder_;
  ManualClock clock_;
  std::int64_t turns_made_ = 0;
  Mutex mutex_;
  SeededRandom cut_random_ GUARDED_BY(mutex_);
  std::uint64_t next_cut_ GUARDED_BY(mutex_) = 0;
  Promises promises_ GUARDED_BY(mutex_);
  std::vector<Cut> cuts_ GUARDED_BY(mutex_);
  PowerLossDisk disk_;  // Last: it calls back.
};

SqliteDatabase::Options DatabaseIn(const std::string& folder) {
  SqliteDatabase::Options options;
  options.path = folder + "/umbranet.db";
  options.wal_pages_idle = 40;  // So that the log is moved into the file often.
  options.wal_pages_max = 40;
  return options;
}

void PowerLoss::JudgeLedger(const Cut& cut, Findings& findings) {
  auto database = SqliteDatabase::Open(clock_, DatabaseIn(cut.folder));
  ASSERT_TRUE(database.ok()) << database.error().message;
  const Status whole = (*database)->CheckIntegrity(kNever);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  auto store = SqliteLedgerStore::Open(**database, {});
  ASSERT_TRUE(store.ok()) << store.error().message;
  SqliteJournal journal(**store);
  SqliteJobLedger ledger(**store);
  std::set<std::string> found;
  std::int64_t newest = 0;
  for (std::int64_t user = 0; user < kUsers; ++user) {
    const auto page = journal.List(UserOf(user), "", 10'000, kNever);
    ASSERT_TRUE(page.ok());
    for (const JournalEntry& entry : page->entries) {
      EXPECT_TRUE(found.insert(entry.interaction.interaction_id).second) << "it is there twice";
      const auto job = ledger.Find(UserOf(user).tenant, entry.reflection.job.job_id, kNever);
      EXPECT_TRUE(job.ok() && job->has_value()) << "a turn without its job";
    }
  }
  Compare(cut, found, findings);
  for (const Interaction& turn : cut.promises.turns) {
    newest = found.contains(turn.interaction_id) ? std::max(newest, turn.sequence) : newest;
  }
  const auto accepted = journal.Accept(NewTurns(), RunMode::kBackground, "", kNever);
  ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  EXPECT_GT(accepted->front().sequence, newest) << "a sequence is given once";
}

void PowerLoss::JudgeSpool(const Cut& cut, Findings& findings) {
  auto spool = SqliteTurnSpool::Open(clock_, cut.folder + "/spool.db", {});
  ASSERT_TRUE(spool.ok()) << spool.error().message;
  std::set<std::string> found;
  const auto waiting = (*spool)->ReadOldest(10'000, kNever);
  ASSERT_TRUE(waiting.ok());
  for (const SpooledTurn& spooled : *waiting) {
    EXPECT_TRUE(found.insert(spooled.turn.interaction_id).second) << "it is there twice";
  }
  Compare(cut, found, findings);
}

Findings PowerLoss::OfLedger() {
  {
    const auto database = SqliteDatabase::Open(clock_, DatabaseIn(folder_ + "/live")).value();
    const auto store = SqliteLedgerStore::Open(*database, {}).value();
    SqliteJournal journal(*store);
    SqliteJobLedger ledger(*store);
    // So that a lane that is not forced to the disk was the first to say so.
    EXPECT_TRUE(ledger.Sweep(kNever).ok());
    BeginCutting();
    for (std::int64_t act = 0; act < kActs; ++act) {
      const std::int64_t kind = random_.Below(20);
      if (kind < 11) {
        Accept(journal);
      } else if (kind < 19) {
        Reflect(ledger);
      } else {
        Forget(journal);
      }
    }
  }
  Findings findings;
  disk_.BeforeEach({});
  const MutexLock lock(mutex_);
  for (const Cut& cut : cuts_) {
    JudgeLedger(cut, findings);
  }
  return findings;
}

Findings PowerLoss::OfSpool() {
  {
    const auto spool = SqliteTurnSpool::Open(clock_, folder_ + "/live/spool.db", {}).value();
    EXPECT_TRUE(spool->Purge(Millis{1}, kNever).ok());
    BeginCutting();
    for (std::int64_t act = 0; act < kActs; ++act) {
      const std::int64_t kind = random_.Below(20);
      if (kind < 15) {
        Accept(spool->turns());
      } else if (kind < 19) {
        Forward(*spool);
      } else {
        Forget(spool->turns());
      }
    }
  }
  Findings findings;
  disk_.BeforeEach({});
  const MutexLock lock(mutex_);
  for (const Cut& cut : cuts_) {
    JudgeSpool(cut, findings);
  }
  return findings;
}

using Play = Findings (PowerLoss::*)();

Findings PlayAll(Play play, Synchronous synchronous, std::uint64_t seeds) {
  Findings sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Findings one = (PowerLoss(seed, synchronous).*play)();
    EXPECT_EQ(one.out_of_order, 0U) << "seed " << seed << ": there without what came before";
    if (synchronous == Synchronous::kFull) {
      EXPECT_EQ(one.missing, 0U) << "seed " << seed;
      EXPECT_EQ(one.back, 0U) << "seed " << seed << ": somebody forgotten is back";
    }
    sum.cuts += one.cuts;
    sum.promised += one.promised;
    sum.missing += one.missing;
  }
  std::cout << seeds << " histories, " << sum.cuts << " power cuts, " << sum.promised
            << " turns promised at them, " << sum.missing << " missing\n";
  return sum;
}

std::uint64_t Seeds() {
  return NumberFromEnvironment("POWER_LOSS_SEEDS", 20);
}

TEST(PowerLossOfTheLedger, LosesNothingThatWasAnsweredFor) {
  const Findings findings = PlayAll(&PowerLoss::OfLedger, Synchronous::kFull, Seeds());
  EXPECT_GT(findings.promised, 100U);
}

TEST(PowerLossOfTheLedger, IsSeenToLoseWithLessThanFull) {
  EXPECT_GT(PlayAll(&PowerLoss::OfLedger, Synchronous::kNormal, 10).missing, 0U);
}

TEST(PowerLossOfTheSpool, LosesNothingThatWasAnsweredFor) {
  const Findings findings = PlayAll(&PowerLoss::OfSpool, Synchronous::kFull, Seeds());
  EXPECT_GT(findings.promised, 100U);
}

TEST(PowerLossOfTheSpool, IsSeenToLoseWithLessThanFull) {
  EXPECT_GT(PlayAll(&PowerLoss::OfSpool, Synchronous::kNormal, 10).missing, 0U);
}

}  // namespace
}  // namespace umbranet
