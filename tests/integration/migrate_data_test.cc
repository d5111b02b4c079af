// Goal: a grown data folder that is carried over to PostgreSQL, Redis and Neo4j is the same memory
// there: what was said, learnt, changed by hand, erased and forgotten, what waits and what failed,
// and what recall answers; also when the mover is killed at any place and started again. Method: a
// folder is grown by the program's own parts under user ids that no other test uses, moved into a
// database made for the test, and both sides are asked the same.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/adapters/sqlite/sqlite_memory_generations.h"
#include "umbranet/app/composition.h"
#include "umbranet/app/composition_backends.h"
#include "umbranet/app/composition_move.h"
#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/extraction/rule_extractor.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/reflection/condition_variable_doorbell.h"
#include "umbranet/reflection/memory_rebuild.h"

#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();
constexpr std::string_view kSpace = "a space of the test";
constexpr std::int64_t kDay = 20'000;
const ConsolidationPolicy kOld{
    .episodes_min = 2, .group = {.episodes_min = 2, .episodes_max = 4}, .look_again = Millis{0}};

// A database on the server of scripts/services, with all tables.
class OwnDatabase {
 public:
  OwnDatabase() : name_("umbranet_move_" + RandomHex(8)) {
    Administer("CREATE DATABASE " + name_);
    const auto pool = PostgresPool::Open({.url = Url()}).value();
    const auto migrated = Migrate(*pool, kNever);
    EXPECT_TRUE(migrated.ok()) << migrated.error().message;
  }

  ~OwnDatabase() { Administer("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)"); }

  OwnDatabase(const OwnDatabase&) = delete;
  OwnDatabase& operator=(const OwnDatabase&) = delete;

  [[nodiscard]] std::string Url() const {
    std::string url = ServerUrl("POSTGRES_URL").value_or("");
    const std::size_t host = url.find("://") + 3;
    const std::size_t path = url.find('/', host);
    return url.substr(0, path) + "/" + name_;
  }

 private:
  static void Administer(const std::string& statement) {
    const SystemClock clock;
    const auto pool = PostgresPool::Open({.url = ServerUrl("POSTGRES_URL").value_or("")}).value();
    const auto session = pool->OpenSession(Deadline::After(clock, Millis{30'000}));
    ASSERT_TRUE(session.ok()) << session.error().message;
    (*session)->set_deadline(Deadline::After(clock, Millis{60'000}));
    const auto done = (*session)->RunScript(statement);
    EXPECT_TRUE(done.ok()) << done.error().message;
  }

  const std::string name_;
};

class WithoutRules final : public Extractor {
 public:
  Result<std::vector<ReflectionPlan>> Extract(const ExtractionInput& input,
                                              Deadline deadline) override {
    Result<std::vector<ReflectionPlan>> plans = rules_.Extract(input, deadline);
    for (ReflectionPlan& plan : plans.value()) {
      plan.rules.clear();
    }
    return plans;
  }

  [[nodiscard]] std::string_view Name() const override { return "without-rules/1"; }

 private:
  RuleExtractor rules_;
};

struct OwnFolder {
  OwnFolder() { std::filesystem::create_directories(path); }

  ~OwnFolder() { std::filesystem::remove_all(path); }

  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;

  const std::string path = ::testing::TempDir() + "umbranet_move_" + RandomHex(8);
};

class MigrateDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string_view server : {"POSTGRES_URL", "REDIS_URL", "NEO4J_URL"}) {
      if (const std::string missing = MissingServer(server); !missing.empty()) {
        GTEST_SKIP() << missing;
      }
    }
    database_ = std::make_unique<OwnDatabase>();
    embedded_.data_folder = folder_.path;
    embedded_.embedder = EmbedderChoice::kOff;
    servers_ = embedded_;
    servers_.data_folder += "_unused";
    servers_.postgres_url = database_->Url();
    servers_.redis_url = ServerUrl("REDIS_URL").value_or("");
    servers_.neo4j_url = ServerUrl("NEO4J_URL").value_or("");
    const std::string run = RandomHex(6);
    kim_ = {"default", "kim " + run};
    odd_ = {"acme \"ltd\"", "x' OR 1=1; --/../\\\xF0\x9F\xA6\x8A " + run + std::string(200, 'y')};
    gone_ = {"default", "gone " + run};
    Grow();
  }

  void TearDown() override {
    if (database_ == nullptr) {
      return;
    }
    auto stores = OpenStores(servers_, clock_, log_);
    ASSERT_TRUE(stores.ok()) << stores.error().message;
    for (const UserKey& user : {kim_, odd_, gone_}) {
      EXPECT_TRUE(stores->journal->EraseUser(user, kNever).ok());
      EXPECT_TRUE(stores->semantic->EraseUser(user, kNever).ok());
      EXPECT_TRUE(stores->short_term->EraseUser(user, kNever).ok());
    }
  }

  static Interaction Turn(const UserKey& user, int number, const std::string& said) {
    Interaction turn;
    turn.user = user;
    turn.interaction_id = "turn/" + std::to_string(number);
    turn.session_id = number % 2 == 0 ? "evening" : "a/b 'c'";
    turn.user_message = said;
    turn.assistant_response = "I see.";
    turn.occurred_at = FromUnixMillis(1'714'730'400'000 + 86'400'000LL * number);
    return turn;
  }

  static std::vector<Interaction> Turns(const UserKey& user) {
    const std::vector<std::string> said = {
        "My brother Jonas lives in Bergen.",
        "I live in Lisbon.",
        "I work at the bakery on Elm Street.",
        "Always answer in metric units.",
        "I prefer window seats.",
        "I moved to Porto last week.",
        "My dog is called Biscuit and he is afraid of thunder.",
        "My sister Mira is a nurse.",
        "I am allergic to walnuts.",
        "Jonas visits us in June.",
        std::string("A note with a zero\0 byte.", 25),
    };
    std::vector<Interaction> turns;
    for (const std::string& text : said) {
      turns.push_back(Turn(user, static_cast<int>(turns.size()), text));
    }
    return turns;
  }

  void Reflect() {
    auto application = Application::Open(
        embedded_, {.serve = Application::Serve::kNothing, .reflect = true}, clock_);
    ASSERT_TRUE(application.ok()) << application.error().message;
    (*application)->Start();
    const Deadline late = Deadline::After(clock_, Millis{60'000});
    while (!(*application)->NothingLeftToReflect(kNever).value() && !late.Expired()) {
      std::this_thread::yield();
    }
    EXPECT_FALSE(late.Expired());
    EXPECT_TRUE((*application)->Stop(kNever));
  }

  std::string MemoryOf(MemoryTier& tier, const UserKey& user, std::string_view text) {
    const auto page = tier.List(user, "", 100, kNever);
    EXPECT_TRUE(page.ok());
    for (const MemoryItem& item : page->items) {
      if (item.text.find(text) != std::string::npos) {
        return item.memory_id;
      }
    }
    ADD_FAILURE() << "no memory says " << text;
    return {};
  }

  void Grow() {
    {
      auto stores = OpenStores(embedded_, clock_, log_).value();
      for (const UserKey& user : {kim_, odd_, gone_}) {
        ASSERT_TRUE(stores.journal->Accept(Turns(user), RunMode::kBackground, "", kNever).ok());
      }
    }
    Reflect();
    auto stores = OpenStores(embedded_, clock_, log_).value();
    for (const UserKey& user : {kim_, odd_}) {
      Change(stores, user);
      Fail(stores, user);
    }
    Consolidate(stores);
    const DayUsage spent{kDay, {{"default", "a model", "reflection"}, {.calls = 3, .cost = 0.25}}};
    ASSERT_TRUE(stores.usage_book->Enter("w", 1, std::span(&spent, 1), kNever).ok());
    ASSERT_TRUE(stores.journal->EraseUser(gone_, kNever).ok());
    for (MemoryTier* tier : {static_cast<MemoryTier*>(stores.episodic.get()),
                             static_cast<MemoryTier*>(stores.semantic.get()),
                             static_cast<MemoryTier*>(stores.procedural.get())}) {
      ASSERT_TRUE(tier->EraseUser(gone_, kNever).ok());
    }
  }

  // What an owner does by hand, and what costs to make.
  void Change(Backends& stores, const UserKey& user) {
    const std::string& tenant = user.tenant;
    EXPECT_TRUE(stores.episodic
                    ->Update(tenant, MemoryOf(*stores.episodic, user, "Biscuit"),
                             {.text = "My dog is called Toffee.", .valid_to = {}}, kNever)
                    ->has_value());
    EXPECT_TRUE(stores.episodic->Erase(tenant, MemoryOf(*stores.episodic, user, "walnuts"), kNever)
                    .value());
    EXPECT_TRUE(stores.semantic
                    ->Update(tenant, MemoryOf(*stores.semantic, user, "Bergen"),
                             {.text = "Jonas lives in Oslo.", .valid_to = {}}, kNever)
                    ->has_value());
    EXPECT_TRUE(
        stores.semantic->Erase(tenant, MemoryOf(*stores.semantic, user, "nurse"), kNever).value());
    EXPECT_TRUE(
        stores.procedural->Erase(tenant, MemoryOf(*stores.procedural, user, "window"), kNever)
            .value());
    EXPECT_GT(stores.semantic->Unmerge(user, "brother", "", kNever).value(), 0U);
    EXPECT_TRUE(stores.short_term->SaveSummary(user, "evening", 1'000, "Of Jonas.", kNever).ok());
    EXPECT_TRUE(
        stores.journal
            ->SaveAnswer(user, "key of " + user.user_id, {.fingerprint = "f", .body = "{}"}, kNever)
            .ok());
    std::vector<EpisodeVector> vectors;
    const MemoryPage page = stores.episodic->List(user, "", 100, kNever).value();
    for (const MemoryItem& item : page.items) {
      vectors.push_back({item.memory_id, Embedding{0.6F, 0.8F}});
    }
    EXPECT_TRUE(stores.episodic->SaveVectors(kSpace, vectors, kNever).ok());
  }

  // All that is old of everybody, and of each user one is undone.
  void Consolidate(Backends& stores) {
    while (const auto claim = stores.consolidation->Claim(kOld, kNever).value()) {
      ASSERT_TRUE(stores.consolidation->Save(*claim, "Of a dog\nand Jonas.", "m", kNever).ok());
    }
    for (const UserKey& user : {kim_, odd_}) {
      const auto page = stores.consolidation->List(user, "", 100, kNever).value();
      ASSERT_GT(page.episodes.size(), 1U);
      ASSERT_TRUE(
          stores.consolidation->Undo(user.tenant, page.episodes.front().memory_id, kNever).value());
    }
  }

  // A dead letter, a job that waits for its next attempt, and one that nobody has looked at.
  void Fail(Backends& stores, const UserKey& user) {
    const std::vector<Interaction> turns = {Turn(user, 20, "A turn that no one can read."),
                                            Turn(user, 21, "A turn that failed once."),
                                            Turn(user, 22, "A turn that waits.")};
    ASSERT_TRUE(stores.journal->Accept(turns, RunMode::kBackground, "", kNever).ok());
    for (const auto& [turn, kind] :
         {std::pair{turns[0], FailureKind::kPermanent}, {turns[1], FailureKind::kTransient}}) {
      const std::string job = MakeJobId(user, turn.interaction_id);
      const auto batch = stores.ledger->ClaimJob(job, {}, kNever).value();
      ASSERT_TRUE(batch.has_value());
      const std::vector<JobFailure> failures = {{.job_id = job,
                                                 .kind = kind,
                                                 .tier = "semantic",
                                                 .error = "it is unreadable \xFF",
                                                 .retry_after = Millis{3'600'000}}};
      ASSERT_TRUE(stores.ledger->Settle(batch->lease, failures, kNever).ok());
    }
  }

  [[nodiscard]] MoveRequest Request() const {
    MoveRequest request;
    request.file = DatabasePath(embedded_);
    request.page = 3;
    return request;
  }

  // In a process of its own, which is killed before its page `pages`. False: it came to its end.
  bool MoveAndDieAt(int pages) {
    const pid_t child = fork();
    if (child == 0) {
      MoveRequest request = Request();
      int seen = 0;
      request.progress = [&](std::string_view, std::size_t, std::size_t) {
        if (++seen == pages) {
          kill(getpid(), SIGKILL);
        }
        return true;
      };
      const auto report = MoveData(request, servers_, clock_);
      _exit(report.ok() && report->Different() == 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
  }

  void ExpectSame(const Result<MoveReport>& report) {
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->users.size(), 3U);
    for (const MovedUserReport& user : report->users) {
      EXPECT_EQ(user.source.checksum, user.target.checksum) << user.user.user_id;
      EXPECT_TRUE(user.Same()) << user.user.user_id;
      EXPECT_THAT(user.uneven, IsEmpty());
      EXPECT_EQ(user.source.turns, user.user == gone_ ? 0U : 14U);
      EXPECT_EQ(user.source.vectors > 0, user.user != gone_);
    }
    EXPECT_EQ(report->Different(), 0U);
  }

  struct Asked {
    std::vector<std::string> items;
    std::vector<std::string> conversation;
    std::string freshness;

    bool operator==(const Asked&) const = default;
  };

  Asked Ask(Backends& stores, const UserKey& user, const std::string& question) {
    BoundedWorkerPool pool({.name = "recall"});
    ConditionVariableDoorbell doorbell;
    MemoryManager::Options options;
    options.recall_budget = Millis{30'000};
    MemoryManager memory(clock_, pool,
                         {*stores.journal, *stores.ledger, doorbell, *stores.short_term,
                          *stores.episodic, *stores.semantic, *stores.procedural},
                         options);
    RecallRequest request;
    request.user = user;
    request.query = question;
    request.session_id = "evening";
    const auto recalled = memory.Recall(request, Deadline::After(clock_, Millis{30'000}));
    Asked asked;
    if (!recalled.ok()) {
      ADD_FAILURE() << recalled.error().message;
      return asked;
    }
    EXPECT_THAT(recalled->missing_tiers, IsEmpty());
    for (const MemoryItem& item : recalled->items) {
      char score[32];
      std::snprintf(score, sizeof score, " %.6f ", item.score);
      asked.items.push_back(item.memory_id + score + item.text + item.superseded_by.value_or(""));
    }
    const auto conversation = stores.short_term->Read(user, "evening", {.tokens = 2'000}, kNever);
    EXPECT_TRUE(conversation.ok());
    asked.conversation.push_back(conversation->summary);
    for (const Interaction& turn : conversation->turns) {
      asked.conversation.push_back(std::to_string(turn.sequence) + turn.user_message);
    }
    const Freshness& fresh = recalled->freshness;
    asked.freshness = std::to_string(fresh.accepted) + " " + std::to_string(fresh.reflected) + " " +
                      std::to_string(fresh.pending) + " " + std::to_string(fresh.dead);
    return asked;
  }

  void ExpectTheSameAnswers() {
    auto embedded = OpenFileToRead(DatabasePath(embedded_), embedded_, clock_).value();
    auto distributed = OpenStores(servers_, clock_, log_).value();
    for (const UserKey& user : {kim_, odd_, gone_}) {
      for (const std::string question :
           {"Where does Jonas live?", "What is my dog called?", "Where do I live now?",
            "Am I allergic to walnuts?", "Which seats do I like?", "What does my sister do?",
            "A turn that waits", "zero byte"}) {
        const Asked here = Ask(embedded, user, question);
        const Asked there = Ask(distributed, user, question);
        EXPECT_EQ(here.items, there.items) << question;
        EXPECT_EQ(here.conversation, there.conversation) << question;
        EXPECT_EQ(here.freshness, there.freshness) << question;
        EXPECT_EQ(here.items.empty(), user == gone_) << question;
      }
    }
  }

  const SystemClock clock_;
  StructuredLog log_{clock_, {.level = LogLevel::kError, .format = LogFormat::kLogfmt}};
  OwnFolder folder_;
  std::unique_ptr<OwnDatabase> database_;
  Settings embedded_;
  Settings servers_;
  UserKey kim_;
  UserKey odd_;
  UserKey gone_;
};

TEST_F(MigrateDataTest, CarriesEverythingOverAndAnswersTheSame) {
  const auto report = MoveData(Request(), servers_, clock_);
  ExpectSame(report);
  ExpectTheSameAnswers();
}

TEST_F(MigrateDataTest, GoesOnWhereAKilledMoverStopped) {
  ASSERT_TRUE(MoveAndDieAt(2));
  const auto served = OpenBackends(servers_, false, clock_, log_);
  ASSERT_FALSE(served.ok()) << "half a memory is served";
  EXPECT_THAT(served.error().message, HasSubstr("run it again"));
  for (const int pages : {5, 9, 14, 20, 30}) {
    MoveAndDieAt(pages);
  }
  ExpectSame(MoveData(Request(), servers_, clock_));
  ExpectTheSameAnswers();
  EXPECT_TRUE(OpenBackends(servers_, false, clock_, log_).ok());
}

TEST_F(MigrateDataTest, KeepsDeadLettersWaitingJobsAndAnswersWithTheirHistory) {
  ASSERT_TRUE(MoveData(Request(), servers_, clock_).ok());
  auto embedded = OpenFileToRead(DatabasePath(embedded_), embedded_, clock_).value();
  auto distributed = OpenStores(servers_, clock_, log_).value();
  for (const UserKey& user : {kim_, odd_}) {
    for (int number = 20; number <= 22; ++number) {
      const std::string job = MakeJobId(user, "turn/" + std::to_string(number));
      const JobStatus here = embedded.ledger->Find(user.tenant, job, kNever).value().value();
      const JobStatus there = distributed.ledger->Find(user.tenant, job, kNever).value().value();
      EXPECT_EQ(here.state, there.state);
      EXPECT_EQ(here.attempts, there.attempts);
      EXPECT_EQ(here.next_attempt_at, there.next_attempt_at);
      EXPECT_EQ(here.history.size(), there.history.size());
      EXPECT_EQ(here.accepted_at, there.accepted_at);
    }
    EXPECT_EQ(distributed.journal->FindAnswer(user.tenant, "key of " + user.user_id, kNever)
                  .value()
                  .value()
                  .body,
              "{}");
  }
  // A worker there goes on with what waited, and only with that.
  const auto batch = distributed.ledger->Claim({}, kNever).value();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->jobs.front().job.interaction_id, "turn/22");
  EXPECT_TRUE(distributed.ledger->Release(batch->lease, kNever).ok());
}

TEST_F(MigrateDataTest, CarriesConsolidatedEpisodesWhatWasUndoneAndTheBooks) {
  ASSERT_TRUE(MoveData(Request(), servers_, clock_).ok());
  auto embedded = OpenFileToRead(DatabasePath(embedded_), embedded_, clock_).value();
  auto distributed = OpenStores(servers_, clock_, log_).value();
  for (const UserKey& user : {kim_, odd_}) {
    const auto here = embedded.consolidation->List(user, "", 100, kNever).value();
    const auto there = distributed.consolidation->List(user, "", 100, kNever).value();
    EXPECT_FALSE(here.episodes.empty());
    EXPECT_EQ(here.episodes, there.episodes);
    const ConsolidatedQuery query{.user = user, .terms = {"dog"}};
    EXPECT_FALSE(embedded.consolidation->Find(query, kNever)->empty());
    EXPECT_EQ(embedded.consolidation->Find(query, kNever).value(),
              distributed.consolidation->Find(query, kNever).value());
  }
  // What was undone is not made again, and what is there is not made twice.
  EXPECT_FALSE(distributed.consolidation->Claim(kOld, kNever).value().has_value());
  // New ones find keys of their own.
  const auto first = distributed.consolidation->List(kim_, "", 1, kNever).value().episodes.at(0);
  const std::string source = first.sources.at(0).memory_id;
  EXPECT_TRUE(distributed.episodic->Erase(kim_.tenant, source, kNever).value());
  const auto claim = distributed.consolidation->Claim(kOld, kNever).value();
  ASSERT_TRUE(claim.has_value());
  EXPECT_TRUE(distributed.consolidation->Save(*claim, "Of a dog.", "m", kNever).ok());
  const UsagePage books = distributed.usage_book->Read(kDay, kNever).value();
  ASSERT_EQ(books.of_day.size(), 1U);
  EXPECT_EQ(books.of_day[0].counts.calls, 3U);
  EXPECT_EQ(books.total.size(), 1U);
  EXPECT_EQ(books.total[0].counts.cost, 0.25);
  EXPECT_EQ(books.first_day, kDay);
}

TEST_F(MigrateDataTest, OfSeveralGenerationsTheOneInForceMoves) {
  {
    auto stores = OpenStores(embedded_, clock_, log_).value();
    SqliteMemoryGenerations generations(*stores.file_ledger);
    MemoryRebuild rebuild(
        {*stores.journal, generations, *stores.episodic, *stores.semantic, *stores.procedural},
        log_, {});
    WithoutRules extractor;
    ASSERT_TRUE(rebuild.Advance(kim_, extractor, 100, kNever).ok());
    ASSERT_TRUE(generations.Swap(kim_, IncomingGeneration::kShadow, kNever).ok());
  }
  const auto report = MoveData(Request(), servers_, clock_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->Different(), 0U);
  EXPECT_EQ(report->users.front().target.rules, 0U);
  EXPECT_GT(report->users.front().target.episodes, 0U);
  ExpectTheSameAnswers();
}

TEST_F(MigrateDataTest, WhatWasForgottenDoesNotComeBackAndNewTurnsComeAfterOldOnes) {
  ASSERT_TRUE(MoveData(Request(), servers_, clock_).ok());
  auto distributed = OpenStores(servers_, clock_, log_).value();
  Interaction late = Turn(gone_, 1, "I am back.");
  late.accepted_at = FromUnixMillis(1'714'730'400'000);
  const auto refused = distributed.journal->Accept(std::span<const Interaction>(&late, 1),
                                                   RunMode::kBackground, "", kNever);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  auto embedded = OpenFileToRead(DatabasePath(embedded_), embedded_, clock_).value();
  const auto merges = embedded.semantic->Merges(kim_, 100, kNever).value();
  ASSERT_FALSE(merges.empty());
  EXPECT_EQ(merges.size(), distributed.semantic->Merges(kim_, 100, kNever)->size());
  // New turns find their places behind those that were moved.
  Interaction next = Turn(kim_, 40, "I bought a bicycle.");
  const auto accepted = distributed.journal->Accept(std::span<const Interaction>(&next, 1),
                                                    RunMode::kBackground, "", kNever);
  ASSERT_TRUE(accepted.ok()) << accepted.error().message;
  const auto newest = distributed.journal->Recent(kim_, next.session_id, 0, 1, kNever).value();
  EXPECT_EQ(newest.front().interaction_id, next.interaction_id);
}

TEST_F(MigrateDataTest, RefusesATargetWithOtherMemoryAndLeavesItAsItIs) {
  {
    auto stores = OpenStores(servers_, clock_, log_).value();
    const Interaction turn = Turn(kim_, 1, "I was here first.");
    ASSERT_TRUE(
        stores.journal
            ->Accept(std::span<const Interaction>(&turn, 1), RunMode::kBackground, "", kNever)
            .ok());
  }
  const auto refused = MoveData(Request(), servers_, clock_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("memory here already"));
  auto stores = OpenStores(servers_, clock_, log_).value();
  EXPECT_EQ(stores.journal->ReadFreshness(kim_, kNever)->accepted, 1U);
}

TEST_F(MigrateDataTest, NamesTheUserWhoDiffersAndSaysWhenTheSourceHasChanged) {
  ASSERT_TRUE(MoveData(Request(), servers_, clock_).ok());
  {
    auto stores = OpenStores(servers_, clock_, log_).value();
    ASSERT_TRUE(
        stores.episodic->Erase(odd_.tenant, MemoryOf(*stores.episodic, odd_, "Toffee"), kNever)
            .value());
  }
  const auto report = MoveData(Request(), servers_, clock_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->began_at, MoveTarget::Progress::kFinished);
  EXPECT_EQ(report->Different(), 1U);
  for (const MovedUserReport& user : report->users) {
    EXPECT_EQ(user.Same(), user.user != odd_);
  }
  {
    auto stores = OpenStores(embedded_, clock_, log_).value();
    const Interaction turn = Turn(kim_, 50, "I changed meanwhile.");
    ASSERT_TRUE(
        stores.journal
            ->Accept(std::span<const Interaction>(&turn, 1), RunMode::kBackground, "", kNever)
            .ok());
  }
  const auto changed = MoveData(Request(), servers_, clock_);
  ASSERT_FALSE(changed.ok());
  EXPECT_THAT(changed.error().message, HasSubstr("changed since"));
}

TEST_F(MigrateDataTest, DoesNotTouchTheSourceAndRefusesOneThatIsHeld) {
  const std::string file = DatabasePath(embedded_);
  const auto read = [&file] {
    std::ifstream bytes(file, std::ios::binary);
    return Sha256Hex(std::string(std::istreambuf_iterator<char>(bytes), {}));
  };
  {
    const auto holder = OpenStores(embedded_, clock_, log_).value();
    const auto refused = MoveData(Request(), servers_, clock_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  }
  const std::string held = read();
  ASSERT_TRUE(MoveData(Request(), servers_, clock_).ok());
  EXPECT_EQ(read(), held);
  MoveRequest nowhere = Request();
  nowhere.file = folder_.path + "/no.db";
  const auto refused = MoveData(nowhere, servers_, clock_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("there is no file"));
  EXPECT_FALSE(std::filesystem::exists(nowhere.file));
}

}  // namespace
}  // namespace umbranet
