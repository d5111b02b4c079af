// Goal: on a disk that is full new turns are refused clearly, nothing that was accepted is lost,
// and the server goes on by itself when there is room again. Method: the built binary with its data
// on a small file system in memory, which root may mount; elsewhere the test is skipped.
#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

constexpr const char* kSize = "size=24m";
constexpr int kTurnsMax = 1'000;

// A file system of a few megabytes for as long as the object lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path)
      : path_(std::move(path)), mounted_(mount("tmpfs", path_.c_str(), "tmpfs", 0, kSize) == 0) {}

  ~SmallDisk() {
    if (mounted_) {
      umount2(path_.c_str(), MNT_DETACH);
    }
  }

  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }

  // Takes this much of it.
  void Fill(std::size_t bytes) const {
    std::ofstream(Ballast(), std::ios::binary) << std::string(bytes, 'x') << std::flush;
  }

  void Empty() const { std::remove(Ballast().c_str()); }

 private:
  [[nodiscard]] std::string Ballast() const { return path_ + "/ballast"; }

  const std::string path_;
  const bool mounted_;
};

boost::json::object Body(int turn) {
  return {{"user_id", "ana"},
          {"interaction_id", "t" + std::to_string(turn)},
          {"user_message", "I planted tomatoes."},
          {"metadata", {{"padding", std::string(60'000, '.')}}}};
}

// Hands turns in until one is refused; the answer to that one.
HttpReply FillUp(ServerProcess& server, int& accepted) {
  while (accepted < kTurnsMax) {
    auto reply = server.Post("/v1/interactions", Body(accepted));
    if (!reply || reply->status != 202) {
      return std::move(reply).value_or(HttpReply{});
    }
    ++accepted;
  }
  return {};
}

class DiskFullTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) {
      GTEST_SKIP() << "a small file system cannot be mounted here";
    }
  }

  // What the journal has of the user.
  static std::int64_t Accepted(ServerProcess& server) {
    const auto reply = server.Call("GET", "/v1/users/ana/freshness");
    return reply && reply->status == 200 ? reply->Json().at("accepted").as_int64() : -1;
  }

  const TemporaryFolder folder_;
  const SmallDisk disk_{folder_.path()};
};

TEST_F(DiskFullTest, TurnsAreRefusedAtTheReserveAndTakenAgainWhenThereIsRoom) {
  ServerProcess server(folder_.path(), {{"UMBRANET_DISK_RESERVE_MIB", "8"}, {"EMBEDDER", "off"}});
  ASSERT_TRUE(server.Running()) << server.Log();
  ASSERT_EQ(server.Post("/v1/interactions", {{"user_id", "ben"}, {"user_message", "I like tea."}})
                ->status,
            202);
  int accepted = 0;
  const HttpReply refused = FillUp(server, accepted);
  ASSERT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.Json().at("code").as_string(), "memory_not_recorded");
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  const auto chat = server.Post("/v1/chat", {{"user_id", "ana"}, {"message", "I like tea."}});
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->status, 503) << chat->body;
  EXPECT_EQ(server.Call("GET", "/readyz")->status, 503);
  EXPECT_TRUE(server.WaitReflected("ana")) << "the reserve is there for that: " << server.Log();
  EXPECT_EQ(Accepted(server), accepted);
  const auto forgotten = server.Call("DELETE", "/v1/users/ben");
  ASSERT_TRUE(forgotten);
  EXPECT_EQ(forgotten->status, 200) << forgotten->body;
}

TEST_F(DiskFullTest, NothingAcceptedIsLostOnADiskThatIsFullToTheLastByte) {
  int accepted = 0;
  {
    ServerProcess server(folder_.path(), {{"UMBRANET_DISK_RESERVE_MIB", "0"}, {"EMBEDDER", "off"}});
    ASSERT_TRUE(server.Running()) << server.Log();
    disk_.Fill(std::size_t{20} << 20U);
    const HttpReply refused = FillUp(server, accepted);
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_GT(accepted, 0);
    EXPECT_EQ(refused.Json().at("code").as_string(), "memory_not_recorded");
    disk_.Empty();
    const auto again = server.Post("/v1/interactions", Body(accepted));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->status, 202) << "it goes on by itself: " << again->body;
    ++accepted;
    server.Kill();
  }
  ServerProcess server(folder_.path(), {{"UMBRANET_DISK_RESERVE_MIB", "0"}, {"EMBEDDER", "off"}});
  ASSERT_TRUE(server.Running()) << server.Log();
  EXPECT_EQ(Accepted(server), accepted);
  EXPECT_TRUE(server.WaitReflected("ana")) << server.Log();
}

}  // namespace
}  // namespace umbranet
