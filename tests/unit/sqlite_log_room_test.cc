// Goal: the log gets its room in quiet moments, behind what is in it, and is read again up to its
// last frame.
// Method: a database in a temporary folder; after the room was taken its files are copied, as a
// crash would leave them, and opened again.
#include "umbranet/adapters/sqlite/sqlite_log_room.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/base/unique_id.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kRoom = 3U << 20U;

class SqliteLogRoomTest : public testing::Test {
 protected:
  SqliteLogRoomTest() { std::filesystem::create_directories(folder_); }

  ~SqliteLogRoomTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<SqliteDatabase> Open(const std::string& name, std::uint64_t room) {
    SqliteDatabase::Options options;
    options.path = folder_ + "/" + name;
    options.log_room_bytes = room;
    options.migrations = {
        {.component = "notes", .version = 1, .script = "CREATE TABLE note(text TEXT NOT NULL)"}};
    return SqliteDatabase::Open(clock_, options).value();
  }

  static void Write(SqliteDatabase& database, const std::string& text) {
    const Status written = database.Write(
        SqliteDatabase::Lane::kForeground,
        [&text](SqliteConnection& connection) {
          return connection.Run("INSERT INTO note(text) VALUES(?)", text);
        },
        Deadline::Never());
    EXPECT_TRUE(written.ok());
  }

  static std::vector<std::string> Notes(SqliteDatabase& database) {
    const SqliteReader reader = database.Read(Deadline::Never()).value();
    SqliteStatement rows = reader->Prepare("SELECT text FROM note ORDER BY rowid");
    std::vector<std::string> notes;
    while (rows.Step()) {
      notes.push_back(rows.String(0));
    }
    return notes;
  }

  // The writer takes the room while nobody wants anything of it.
  void WaitForLog(std::uintmax_t bytes) const {
    while (std::filesystem::file_size(log_) < bytes) {
      std::this_thread::yield();
    }
  }

  const std::string folder_ = std::filesystem::temp_directory_path() / NewUuidV7(Timestamp{});
  const std::string log_ = folder_ + "/a.db-wal";
  ManualClock clock_;
};

TEST_F(SqliteLogRoomTest, IsTakenBehindWhatIsInTheLog) {
  const auto database = Open("a.db", kRoom);
  Write(*database, "first");
  WaitForLog(kRoom / 3);
  Write(*database, "in between");
  WaitForLog(kRoom);
  Write(*database, "last");
  EXPECT_EQ(std::filesystem::file_size(log_), kRoom);
  std::filesystem::copy_file(folder_ + "/a.db", folder_ + "/b.db");
  std::filesystem::copy_file(log_, folder_ + "/b.db-wal");
  EXPECT_THAT(Notes(*Open("b.db", 0)), ElementsAre("first", "in between", "last"));
}

TEST_F(SqliteLogRoomTest, IsNotTakenWhereTheDiskHasNotMuchMore) {
  SqliteLogRoom room(folder_ + "/a.db", std::uint64_t{1} << 62U);
  const auto database = Open("a.db", 0);
  const auto size = std::filesystem::file_size(log_);
  const Status tried = database->Write(
      SqliteDatabase::Lane::kForeground,
      [&room](SqliteConnection& connection) {
        room.TakeSome(connection.handle());
        return Status();
      },
      Deadline::Never());
  EXPECT_TRUE(tried.ok());
  EXPECT_FALSE(room.wanted());
  EXPECT_LT(std::filesystem::file_size(log_), size + (1U << 20U));
}

}  // namespace
}  // namespace umbranet
