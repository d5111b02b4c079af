// Goal: a turn whose acceptance was answered is there after kill -9, exactly once, in the journal
// and in memory. Method: several clients hand in a thousand turns while the server is killed at
// twenty random moments and started again on the same folder; then the journal and the memories are
// counted over the API. Client ids make a retry harmless, as the contract says, so a turn whose
// answer was lost is sent again after the restart.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kTurns = 1000;
constexpr std::size_t kKills = 20;
constexpr std::size_t kUsers = 5;

std::string UserOf(std::size_t turn) {
  return "crash user/" + std::to_string(turn % kUsers);
}

std::string IdOf(std::size_t turn) {
  return "turn-" + std::to_string(turn);
}

json::object TurnBody(std::size_t turn) {
  return {{"user_id", UserOf(turn)},
          {"interaction_id", IdOf(turn)},
          {"session_id", "s" + std::to_string(turn / 50)},
          {"user_message", "I bought lamp number " + std::to_string(turn) + " in Trieste."}};
}

// Ids of the user's journal, page by page, in the order given.
std::vector<std::string> JournalIds(ServerProcess& server, const std::string& user) {
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const auto page =
        server.Call("GET", "/v1/users/" + EncodeSegment(user) +
                               "/interactions?limit=100&cursor=" + EncodeSegment(cursor));
    if (!page || page->status != 200) {
      ADD_FAILURE() << "the journal could not be read";
      return ids;
    }
    const json::object body = page->Json();
    for (const json::value& item : body.at("items").as_array()) {
      ids.emplace_back(item.at("interaction_id").as_string());
    }
    const json::value* next = body.if_contains("next_cursor");
    cursor = next != nullptr && next->is_string() ? std::string(next->as_string()) : std::string();
  } while (!cursor.empty());
  return ids;
}

// How many episodes name each turn as their source.
std::map<std::string, std::size_t> EpisodesByTurn(ServerProcess& server, const std::string& user) {
  std::map<std::string, std::size_t> count;
  std::string cursor;
  do {
    const auto page =
        server.Call("GET", "/v1/users/" + EncodeSegment(user) +
                               "/memories?tier=episodic&limit=100&cursor=" + EncodeSegment(cursor));
    if (!page || page->status != 200) {
      ADD_FAILURE() << "the memories could not be read";
      return count;
    }
    const json::object body = page->Json();
    for (const json::value& item : body.at("items").as_array()) {
      for (const json::value& source : item.at("sources").as_array()) {
        ++count[std::string(source.at("interaction_id").as_string())];
      }
    }
    const json::value* next = body.if_contains("next_cursor");
    cursor = next != nullptr && next->is_string() ? std::string(next->as_string()) : std::string();
  } while (!cursor.empty());
  return count;
}

// Sends turns of `waiting` until the server is gone; returns those that were answered.
std::set<std::size_t> SendUntilGone(ServerProcess& server, std::vector<std::size_t> waiting) {
  std::set<std::size_t> acknowledged;
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&] {
      for (std::size_t i = next++; i < waiting.size(); i = next++) {
        const auto reply = server.Post("/v1/interactions", TurnBody(waiting[i]));
        if (!reply) {
          return;
        }
        EXPECT_EQ(reply->status, 202) << reply->body;
        const std::scoped_lock lock(mutex);
        acknowledged.insert(waiting[i]);
      }
    });
  }
  clients.clear();
  return acknowledged;
}

TEST(CrashTest, NothingAcceptedIsMissingOrDoubledAfterTwentyKills) {
  const TemporaryFolder folder;
  std::set<std::size_t> acknowledged;
  std::mt19937 random(20240503);  // NOLINT(cert-msc51-cpp): the same moments in every run.
  for (std::size_t round = 0; round <= kKills; ++round) {
    ServerProcess server(folder.path());
    ASSERT_TRUE(server.Running()) << server.Log();
    std::vector<std::size_t> waiting;
    // An equal share of the thousand each round, and all that is left in the last.
    const std::size_t goal = round == kKills ? kTurns : kTurns * (round + 1) / (kKills + 1);
    for (std::size_t turn = 0; turn < goal; ++turn) {
      if (!acknowledged.contains(turn)) {
        waiting.push_back(turn);
      }
    }
    std::jthread killer;
    if (round < kKills) {
      const Millis moment{random() % 25};
      killer = std::jthread([&server, moment] {
        std::this_thread::sleep_for(moment);
        kill(server.Pid(), SIGKILL);
      });
    }
    acknowledged.merge(SendUntilGone(server, waiting));
    killer = {};
  }
  ASSERT_EQ(acknowledged.size(), kTurns);

  ServerProcess server(folder.path());
  ASSERT_TRUE(server.Running()) << server.Log();
  std::size_t journalled = 0;
  for (std::size_t u = 0; u < kUsers; ++u) {
    const std::string user = UserOf(u);
    ASSERT_TRUE(server.WaitReflected(user));
    std::vector<std::string> ids = JournalIds(server, user);
    journalled += ids.size();
    std::map<std::string, std::size_t> episodes = EpisodesByTurn(server, user);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end()) << "a turn is there twice";
    for (std::size_t turn = u; turn < kTurns; turn += kUsers) {
      EXPECT_TRUE(std::binary_search(ids.begin(), ids.end(), IdOf(turn))) << IdOf(turn);
      EXPECT_EQ(episodes[IdOf(turn)], 1U) << IdOf(turn);
    }
  }
  EXPECT_EQ(journalled, kTurns);
}

TEST(CrashTest, AStoppedServerGoesOnReflectingWhereItWas) {
  const TemporaryFolder folder;
  {
    ServerProcess server(folder.path(), {{"UMBRANET_ROLE", "api"}});
    ASSERT_TRUE(server.Running()) << server.Log();
    for (std::size_t turn = 0; turn < 20; ++turn) {
      ASSERT_EQ(server.Post("/v1/interactions", TurnBody(turn))->status, 202);
    }
    EXPECT_EQ(server.Terminate(), 0);
  }
  ServerProcess server(folder.path());
  ASSERT_TRUE(server.Running()) << server.Log();
  ASSERT_TRUE(server.WaitReflected(UserOf(0)));
  EXPECT_EQ(EpisodesByTurn(server, UserOf(0)).size(), 4U);
}

}  // namespace
}  // namespace umbranet
