// Goal: the writer keeps what it confirms, undoes what fails and nothing else, lets the foreground
// go first, and refuses in time; a file that is not ours, or in use, is refused with a sentence.
// Method: a database in a temporary folder. Where the order of commands matters, the writer is held
// inside a work by a latch until all of them wait.
#include "umbranet/adapters/sqlite/sqlite_database.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Lane = SqliteDatabase::Lane;

constexpr std::string_view kInsert = "INSERT INTO note(text) VALUES(?)";
constexpr std::string_view kSelect = "SELECT text FROM note ORDER BY rowid";

std::vector<SqliteMigration> NoteMigrations(int versions = 1) {
  std::vector<SqliteMigration> all = {
      {.component = "notes", .version = 1, .script = "CREATE TABLE note(text TEXT NOT NULL)"},
      {.component = "notes", .version = 2, .script = "ALTER TABLE note ADD COLUMN at INTEGER"}};
  all.resize(static_cast<std::size_t>(versions));
  return all;
}

class SqliteDatabaseTest : public testing::Test {
 protected:
  ~SqliteDatabaseTest() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  SqliteDatabase::Options Options() const {
    SqliteDatabase::Options options;
    options.path = folder_ + "/umbranet.db";
    options.migrations = NoteMigrations();
    return options;
  }

  SqliteDatabase& Open(SqliteDatabase::Options options) {
    database_.reset();
    database_ = SqliteDatabase::Open(clock_, std::move(options)).value();
    return *database_;
  }

  SqliteDatabase& Open() { return Open(Options()); }

  static SqliteDatabase::Work Insert(std::string text) {
    return [text = std::move(text)](SqliteConnection& connection) {
      return connection.Run(kInsert, text);
    };
  }

  Status Write(std::string text) {
    return database_->Write(Lane::kForeground, Insert(std::move(text)), Deadline::Never());
  }

  std::vector<std::string> Notes() {
    const SqliteReader reader = database_->Read(Deadline::Never()).value();
    SqliteStatement rows = reader->Prepare(kSelect);
    std::vector<std::string> notes;
    while (rows.Step()) {
      notes.push_back(rows.String(0));
    }
    EXPECT_TRUE(rows.status().ok());
    return notes;
  }

  // Holds the writer inside a work until Release.
  void HoldWriter() {
    database_->WriteAsync(
        Lane::kForeground,
        [this](SqliteConnection&) -> Status {
          held_.count_down();
          released_.wait();
          return {};
        },
        [this](const Status&) { done_.count_down(); }, Deadline::Never());
    held_.wait();
  }

  void ReleaseWriter() {
    released_.count_down();
    done_.wait();
  }

  ManualClock clock_;
  const std::string folder_ = testing::TempDir() + "umbranet-" + RandomHex(8);
  std::latch held_{1};
  std::latch released_{1};
  std::latch done_{1};
  std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SqliteDatabaseTest, WhatWasWrittenIsReadAndStaysAfterClosing) {
  Open();
  ASSERT_TRUE(Write("one").ok());
  EXPECT_THAT(Notes(), ElementsAre("one"));
  Open();
  EXPECT_THAT(Notes(), ElementsAre("one"));
}

TEST_F(SqliteDatabaseTest, OnlyItsOwnerMayReadWhatIsStored) {
  using std::filesystem::perms;
  Open();
  EXPECT_EQ(std::filesystem::status(folder_).permissions(), perms::owner_all);
  for (const char* suffix : {"", "-wal", ".lock"}) {
    EXPECT_EQ(std::filesystem::status(Options().path + suffix).permissions(),
              perms::owner_read | perms::owner_write)
        << suffix;
  }
}

TEST_F(SqliteDatabaseTest, AWorkThatFailsIsUndoneAndItsNeighboursStay) {
  Open();
  HoldWriter();
  std::vector<ErrorCode> failures;
  const auto note = [&failures](const Status& status) {
    if (!status.ok()) {
      failures.push_back(status.error().code);
    }
  };
  std::latch last(1);
  database_->WriteAsync(Lane::kForeground, Insert("one"), note, Deadline::Never());
  database_->WriteAsync(
      Lane::kForeground,
      [](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, "two"));
        return NotFound("no such thing");
      },
      note, Deadline::Never());
  database_->WriteAsync(
      Lane::kForeground,
      [](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, "three"));
        return connection.Run("INSERT INTO note(text) VALUES(NULL)");
      },
      note, Deadline::Never());
  database_->WriteAsync(
      Lane::kForeground,
      [](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, "four"));
        throw std::runtime_error("a bug");
      },
      note, Deadline::Never());
  database_->WriteAsync(
      Lane::kForeground, Insert("five"), [&last](const Status&) { last.count_down(); },
      Deadline::Never());
  ReleaseWriter();
  last.wait();
  EXPECT_THAT(failures,
              ElementsAre(ErrorCode::kNotFound, ErrorCode::kInternal, ErrorCode::kInternal));
  EXPECT_THAT(Notes(), ElementsAre("one", "five"));
}

TEST_F(SqliteDatabaseTest, AWorkThatFailsAloneIsUndone) {
  Open();
  const Status failed = database_->Write(
      Lane::kForeground,
      [](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInsert, "one"));
        return Aborted("lost");
      },
      Deadline::Never());
  EXPECT_EQ(failed.error().code, ErrorCode::kAborted);
  ASSERT_TRUE(Write("two").ok());
  EXPECT_THAT(Notes(), ElementsAre("two"));
}

TEST_F(SqliteDatabaseTest, NobodyIsToldThatHisWorkStayedWhenTheTransactionWasLost) {
  Open();
  HoldWriter();
  std::vector<bool> stayed;
  std::latch last(2);
  const auto note = [&](const Status& status) {
    stayed.push_back(status.ok());
    last.count_down();
  };
  database_->WriteAsync(Lane::kForeground, Insert("one"), note, Deadline::Never());
  database_->WriteAsync(
      Lane::kForeground, [](SqliteConnection& connection) { return connection.Run("ROLLBACK"); },
      note, Deadline::Never());
  ReleaseWriter();
  last.wait();
  EXPECT_THAT(stayed, ElementsAre(false, false));
  ASSERT_TRUE(Write("two").ok());
  EXPECT_THAT(Notes(), ElementsAre("two"));
}

TEST_F(SqliteDatabaseTest, CommandsThatWaitTogetherShareACommit) {
  Open();
  const std::uint64_t before = database_->counters().commits;
  HoldWriter();
  std::latch last(20);
  for (int i = 0; i < 20; ++i) {
    database_->WriteAsync(
        Lane::kForeground, Insert("note"), [&last](const Status&) { last.count_down(); },
        Deadline::Never());
  }
  ReleaseWriter();
  last.wait();
  EXPECT_EQ(database_->counters().commits, before + 1);
  EXPECT_EQ(Notes().size(), 20U);
}

TEST_F(SqliteDatabaseTest, AGroupIsBounded) {
  SqliteDatabase::Options options = Options();
  options.group_max = 5;
  Open(options);
  const std::uint64_t before = database_->counters().commits;
  HoldWriter();
  std::latch last(14);
  for (int i = 0; i < 14; ++i) {
    database_->WriteAsync(
        Lane::kForeground, Insert("note"), [&last](const Status&) { last.count_down(); },
        Deadline::Never());
  }
  ReleaseWriter();
  last.wait();
  // The holder and 14 more, 5 at a time.
  EXPECT_EQ(database_->counters().commits, before + 3);
}

TEST_F(SqliteDatabaseTest, TheForegroundGoesFirstAndEndsASliceOfTheBackground) {
  Open();
  HoldWriter();
  std::vector<std::string> order;
  std::latch last(4);
  const auto run = [&](Lane lane, const std::string& name, const std::function<void()>& inside) {
    database_->WriteAsync(
        lane,
        [&order, name, inside](SqliteConnection&) -> Status {
          order.push_back(name);
          if (inside) {
            inside();
          }
          return {};
        },
        [&last](const Status&) { last.count_down(); }, Deadline::Never());
  };
  run(Lane::kBackground, "background 1", [&] { run(Lane::kForeground, "foreground 2", {}); });
  run(Lane::kBackground, "background 2", {});
  run(Lane::kForeground, "foreground 1", {});
  ReleaseWriter();
  last.wait();
  EXPECT_THAT(order, ElementsAre("foreground 1", "background 1", "foreground 2", "background 2"));
}

TEST_F(SqliteDatabaseTest, ASliceOfTheBackgroundEndsWithItsBudget) {
  Open();
  const std::uint64_t before = database_->counters().commits;
  HoldWriter();
  std::latch last(3);
  for (int i = 0; i < 3; ++i) {
    database_->WriteAsync(
        Lane::kBackground,
        [this](SqliteConnection&) -> Status {
          clock_.Advance(Millis{3});
          return {};
        },
        [&last](const Status&) { last.count_down(); }, Deadline::Never());
  }
  ReleaseWriter();
  last.wait();
  EXPECT_EQ(database_->counters().commits, before + 4);
}

TEST_F(SqliteDatabaseTest, ACommandIsDroppedWhenItsDeadlinePassedBeforeItWasBegun) {
  Open();
  HoldWriter();
  std::latch last(1);
  Status outcome;
  database_->WriteAsync(
      Lane::kForeground, Insert("late"),
      [&](Status status) {
        outcome = std::move(status);
        last.count_down();
      },
      Deadline::After(clock_, Millis{100}));
  clock_.Advance(Millis{100});
  ReleaseWriter();
  last.wait();
  EXPECT_EQ(outcome.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(Notes().empty());
}

TEST_F(SqliteDatabaseTest, ACallerGivesUpWhenTheWriterDoesNotComeToHim) {
  Open();
  HoldWriter();
  clock_.Advance(Millis{1});
  const Deadline passed = Deadline::After(clock_, Millis{0});
  const Status given_up = database_->Write(Lane::kForeground, Insert("late"), passed);
  EXPECT_EQ(given_up.error().code, ErrorCode::kDeadlineExceeded);
  ReleaseWriter();
  EXPECT_TRUE(Notes().empty());
}

TEST_F(SqliteDatabaseTest, OnlySoManyCommandsMayWait) {
  SqliteDatabase::Options options = Options();
  options.commands_max = 2;
  Open(options);
  HoldWriter();
  std::latch last(2);
  for (int i = 0; i < 2; ++i) {
    database_->WriteAsync(
        Lane::kBackground, Insert("note"), [&last](const Status&) { last.count_down(); },
        Deadline::Never());
  }
  const Status refused = database_->Write(Lane::kBackground, Insert("note"), Deadline::Never());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(refused.error().retry_after.has_value());
  ReleaseWriter();
  last.wait();
  EXPECT_EQ(Notes().size(), 2U);
}

TEST_F(SqliteDatabaseTest, WhatWasTakenIsDoneBeforeTheDatabaseCloses) {
  Open();
  for (int i = 0; i < 50; ++i) {
    database_->WriteAsync(
        Lane::kBackground, Insert("note"), [](const Status&) {}, Deadline::Never());
  }
  Open();
  EXPECT_EQ(Notes().size(), 50U);
}

TEST_F(SqliteDatabaseTest, AFullDiskRefusesWhatDoesNotFitAndNothingElse) {
  SqliteDatabase::Options options = Options();
  options.pages_max = 20;
  Open(options);
  ASSERT_TRUE(Write("small").ok());
  const Status full = Write(std::string(200'000, 'x'));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kStorageFull);
  EXPECT_THAT(Notes(), ElementsAre("small"));
  ASSERT_TRUE(Write("another").ok());
  EXPECT_THAT(Notes(), ElementsAre("small", "another"));
  EXPECT_TRUE(database_->CheckIntegrity(Deadline::Never()).ok());
}

TEST_F(SqliteDatabaseTest, AFullDiskInAGroupLosesTheGroupAndSaysSoToEachOfIt) {
  SqliteDatabase::Options options = Options();
  options.pages_max = 20;
  Open(options);
  ASSERT_TRUE(Write("small").ok());
  HoldWriter();
  std::vector<std::string> outcomes;
  std::latch last(2);
  const auto note = [&](const Status& status) {
    outcomes.emplace_back(status.ok() ? "ok" : ErrorCodeName(status.error().code));
    last.count_down();
  };
  database_->WriteAsync(Lane::kForeground, Insert("fits"), note, Deadline::Never());
  database_->WriteAsync(Lane::kForeground, Insert(std::string(200'000, 'x')), note,
                        Deadline::Never());
  ReleaseWriter();
  last.wait();
  EXPECT_EQ(outcomes.at(1), ErrorCodeName(ErrorCode::kStorageFull));
  // Whether SQLite kept the rest of the transaction is its business; what it said must be true.
  EXPECT_EQ(Notes().size(), outcomes.at(0) == "ok" ? 2U : 1U);
  ASSERT_TRUE(Write("after").ok());
}

TEST_F(SqliteDatabaseTest, ASecondProcessIsToldWhoHasTheFolder) {
  Open();
  database_->Announce("127.0.0.1:4711");
  const auto second = SqliteDatabase::Open(clock_, Options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr(std::to_string(getpid())), HasSubstr("127.0.0.1:4711")));
  const std::string lock = SqliteDatabase::LockPath(Options().path);
  const auto holder = DataFolderLock::FindHolder(lock);
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->pid, getpid());
  EXPECT_EQ(holder->address, "127.0.0.1:4711");
  database_.reset();
  EXPECT_FALSE(DataFolderLock::FindHolder(lock).has_value());
}

TEST_F(SqliteDatabaseTest, AFileThatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(folder_);
  std::ofstream(Options().path) << std::string(10'000, 'x');
  const auto opened = SqliteDatabase::Open(clock_, Options());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr(Options().path), HasSubstr("backup")));
}

TEST_F(SqliteDatabaseTest, ADatabaseOfAnotherProgramIsRefused) {
  std::filesystem::create_directories(folder_);
  {
    const auto other = SqliteConnection::Open(
        {.path = Options().path, .mode = SqliteConnection::Mode::kReadWrite});
    ASSERT_TRUE((*other)->Execute("CREATE TABLE theirs(a)").ok());
  }
  const auto opened = SqliteDatabase::Open(clock_, Options());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(opened.error().message, HasSubstr("another program"));
}

TEST_F(SqliteDatabaseTest, ADatabaseOfANewerVersionIsRefused) {
  SqliteDatabase::Options newer = Options();
  newer.migrations = NoteMigrations(2);
  Open(newer);
  database_.reset();
  const auto opened = SqliteDatabase::Open(clock_, Options());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(opened.error().message, HasSubstr("newer version"));
}

TEST_F(SqliteDatabaseTest, AnOlderDatabaseIsBroughtUpToDate) {
  Open();
  ASSERT_TRUE(Write("one").ok());
  SqliteDatabase::Options newer = Options();
  newer.migrations = NoteMigrations(2);
  Open(newer);
  EXPECT_TRUE(
      database_
          ->Write(
              Lane::kForeground,
              [](SqliteConnection& connection) { return connection.Run("UPDATE note SET at = 1"); },
              Deadline::Never())
          .ok());
  EXPECT_THAT(Notes(), ElementsAre("one"));
}

TEST_F(SqliteDatabaseTest, AMigrationThatFailsLeavesTheFileAsItWas) {
  Open();
  ASSERT_TRUE(Write("one").ok());
  SqliteDatabase::Options broken = Options();
  broken.migrations.push_back({.component = "notes",
                               .version = 2,
                               .script = "ALTER TABLE note ADD COLUMN at INTEGER; CREATE TABEL x"});
  database_.reset();
  const auto opened = SqliteDatabase::Open(clock_, broken);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("step 2 of the notes schema"));
  SqliteDatabase::Options repaired = Options();
  repaired.migrations = NoteMigrations(2);
  Open(repaired);
  EXPECT_THAT(Notes(), ElementsAre("one"));
}

TEST_F(SqliteDatabaseTest, AReaderCannotWrite) {
  Open();
  const SqliteReader reader = database_->Read(Deadline::Never()).value();
  EXPECT_FALSE(reader->Run(kInsert, "one").ok());
}

TEST_F(SqliteDatabaseTest, OnlySoManyReadAtATime) {
  SqliteDatabase::Options options = Options();
  options.readers_max = 1;
  Open(options);
  {
    const SqliteReader first = database_->Read(Deadline::Never()).value();
    const auto second = database_->Read(Deadline::After(clock_, Millis{0}));
    EXPECT_EQ(second.error().code, ErrorCode::kDeadlineExceeded);
  }
  EXPECT_TRUE(database_->Read(Deadline::After(clock_, Millis{0})).ok());
  EXPECT_EQ(database_->counters().readers, 1U);
}

TEST_F(SqliteDatabaseTest, AReaderStopsAtItsDeadline) {
  Open();
  const SqliteReader reader = database_->Read(Deadline::After(clock_, Millis{5})).value();
  clock_.Advance(Millis{5});
  SqliteStatement endless = reader->Prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  EXPECT_FALSE(endless.Step());
  EXPECT_EQ(endless.status().error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(SqliteDatabaseTest, ASnapshotDoesNotSeeWhatIsWrittenAfterIt) {
  Open();
  ASSERT_TRUE(Write("one").ok());
  SqliteReader reader = database_->Read(Deadline::Never()).value();
  ASSERT_TRUE(reader.BeginSnapshot().ok());
  const auto count = [&reader] {
    SqliteStatement rows = reader->Prepare("SELECT count(*) FROM note");
    EXPECT_TRUE(rows.Step());
    return rows.Int(0);
  };
  EXPECT_EQ(count(), 1);
  ASSERT_TRUE(Write("two").ok());
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(Notes().size(), 2U);
}

TEST_F(SqliteDatabaseTest, AStatementMayBeBorrowedTwiceAtATime) {
  Open();
  ASSERT_TRUE(Write("one").ok());
  ASSERT_TRUE(Write("two").ok());
  const SqliteReader reader = database_->Read(Deadline::Never()).value();
  SqliteStatement first = reader->Prepare(kSelect);
  ASSERT_TRUE(first.Step());
  SqliteStatement second = reader->Prepare(kSelect);
  ASSERT_TRUE(second.Step());
  ASSERT_TRUE(first.Step());
  EXPECT_EQ(first.Text(0), "two");
  EXPECT_EQ(second.Text(0), "one");
}

TEST_F(SqliteDatabaseTest, TextComesBackByteForByte) {
  Open();
  for (const std::string& text : {std::string(), std::string("a\0b", 3), std::string("\xF0\x9F")}) {
    ASSERT_TRUE(Write(text).ok());
  }
  EXPECT_THAT(Notes(), ElementsAre("", std::string("a\0b", 3), "\xF0\x9F"));
}

TEST_F(SqliteDatabaseTest, WhatManyThreadsWriteIsAllThere) {
  Open();
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 40; ++i) {
          const Lane lane = (thread + i) % 2 == 0 ? Lane::kForeground : Lane::kBackground;
          const std::string text = std::to_string(thread * 1000 + i);
          failures += database_->Write(lane, Insert(text), Deadline::Never()).ok() ? 0 : 1;
          const SqliteReader reader = database_->Read(Deadline::Never()).value();
          SqliteStatement mine = reader->Prepare("SELECT 1 FROM note WHERE text = ?");
          mine.BindAll(text);
          failures += mine.Step() ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Notes().size(), 320U);
}

TEST_F(SqliteDatabaseTest, ReadingsOfOneScopeSeeOneState) {
  Open();
  ASSERT_TRUE(Write("before").ok());
  {
    const SqliteReadingScope scope(*database_);
    EXPECT_THAT(Notes(), ElementsAre("before"));
    ASSERT_TRUE(Write("meanwhile").ok());
    EXPECT_THAT(Notes(), ElementsAre("before"));
    std::vector<std::string> elsewhere;
    std::jthread([&] { elsewhere = Notes(); }).join();
    EXPECT_THAT(elsewhere, ElementsAre("before", "meanwhile")) << "a scope is its thread's alone";
  }
  EXPECT_THAT(Notes(), ElementsAre("before", "meanwhile"));
}

TEST_F(SqliteDatabaseTest, AScopeKeepsOneReaderAndGivesItBack) {
  SqliteDatabase::Options options = Options();
  options.readers_max = 2;
  Open(std::move(options));
  const Deadline now = Deadline::After(clock_, Millis{0});
  {
    const SqliteReadingScope scope(*database_);
    const SqliteReadingScope inner(*database_);
    {
      SqliteReader reader = database_->Read(now).value();
      EXPECT_TRUE(reader.BeginSnapshot().ok()) << "it is in one already";
      EXPECT_TRUE(database_->Read(now).ok()) << "one on loan is not lent twice";
    }
    EXPECT_TRUE(database_->Read(now).ok());
    EXPECT_EQ(database_->counters().readers, 2U);
  }
  const SqliteReader first = database_->Read(now).value();
  EXPECT_TRUE(database_->Read(now).ok());
}

}  // namespace
}  // namespace umbranet
