#include "tests/integration/redis_harness.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "umbranet/base/unique_id.h"

#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/in_memory_ledger_store.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

constexpr Millis kGenerous{20'000};
const Deadline kNever = Deadline::Never();

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

class RedisWorld final : public TierWorld {
 public:
  ShortTermMemory& short_term() override { return *memory_; }

  EpisodicMemory& episodic() override { return twins_->episodic(); }

  SemanticMemory& semantic() override { return twins_->semantic(); }

  ProceduralMemory& procedural() override { return twins_->procedural(); }

  Interaction Accept(Interaction turn) override {
    const std::vector<Interaction> turns{turn};
    turn.sequence = Must(journal_.Accept(turns, RunMode::kBackground, "", kNever)).front().sequence;
    return turn;
  }

  Lease Claim(std::span<const ReflectionPlan> plans) override { return twins_->Claim(plans); }

  void Release(const Lease& lease) override { twins_->Release(lease); }

  void ForgetTurns(const UserKey& user) override { Must(journal_.EraseUser(user, kNever)); }

 private:
  RedisPlace place_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  const std::unique_ptr<TierWorld> twins_ = MakeInMemoryWorld();
  const std::unique_ptr<RedisShortTermMemory> memory_ =
      Must(RedisShortTermMemory::Open(clock_, journal_, place_.Options()));
};

}  // namespace

RedisPlace::RedisPlace()
    : url_(ServerUrl("REDIS_URL").value_or("")),
      address_(Must(ParseRedisUrl(url_))),
      prefix_("test-" + RandomHex(8)),
      client_(Must(RedisClient::Open(clock_, {.address = address_,
                                              .connections_max = 2,
                                              .connect_budget = kGenerous,
                                              .call_budget = kGenerous,
                                              .breaker = {},
                                              .log = nullptr}))) {}

RedisPlace::~RedisPlace() {
  LoseEverything();
}

RedisShortTermMemory::Options RedisPlace::Options() const {
  RedisShortTermMemory::Options options;
  options.url = url_;
  options.key_prefix = prefix_;
  options.connect_budget = kGenerous;
  options.call_budget = kGenerous;
  return options;
}

RedisShortTermMemory::Options RedisPlace::OptionsThrough(std::uint16_t port) const {
  RedisShortTermMemory::Options options = Options();
  options.url = "redis://" + address_.user + ":" + address_.password +
                "@127.0.0.1:" + std::to_string(port) + "/" + std::to_string(address_.database);
  return options;
}

std::vector<std::string> RedisPlace::Keys() {
  std::vector<std::string> keys;
  std::string cursor = "0";
  do {
    const RedisReply page = Call({"SCAN", cursor, "MATCH", prefix_ + ":*", "COUNT", "1000"});
    const std::span<redisReply* const> parts = RedisReply::ElementsOf(page.raw());
    cursor = RedisReply::TextOf(*parts[0]);
    for (const redisReply* const key : RedisReply::ElementsOf(*parts[1])) {
      keys.emplace_back(RedisReply::TextOf(*key));
    }
  } while (cursor != "0");
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> RedisPlace::KeysEndingWith(std::string_view end) {
  std::vector<std::string> keys = Keys();
  std::erase_if(keys, [end](const std::string& key) { return !key.ends_with(end); });
  return keys;
}

std::string RedisPlace::Contents() {
  std::string contents;
  const auto append = [&contents](const RedisReply& values) {
    for (const redisReply* const value : RedisReply::ElementsOf(values.raw())) {
      contents += std::string(RedisReply::TextOf(*value)) + "\n";
    }
  };
  for (const std::string& key : KeysEndingWith(":turns")) {
    append(Call({"ZRANGE", key, "0", "-1"}));
  }
  for (const std::string& key : KeysEndingWith(":about")) {
    append(Call({"HVALS", key}));
  }
  return contents;
}

void RedisPlace::LoseEverything() {
  for (const std::string& key : Keys()) {
    Call({"DEL", key});
  }
}

RedisReply RedisPlace::Call(std::initializer_list<std::string_view> command) {
  return Must(client_->Call(std::vector<std::string_view>(command), kNever));
}

std::unique_ptr<TierWorld> MakeRedisWorld() {
  return std::make_unique<RedisWorld>();
}

}  // namespace umbranet
