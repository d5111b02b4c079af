// Goal: a turn survives Redis unchanged, whatever is in it, and bytes that are no turn are refused.
// Method: random turns there and back; one valid turn spoilt in each of its fields.
#include "umbranet/adapters/redis/stored_turn.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace umbranet {
namespace {

namespace json = boost::json;

const UserKey kUser{"default", "a.b/c d"};

Interaction FullTurn() {
  Interaction turn;
  turn.interaction_id = "turn-1";
  turn.user = kUser;
  turn.session_id = "s";
  turn.speaker = "Mira";
  turn.occurred_at = FromUnixMillis(1'714'730'400'123);
  turn.accepted_at = FromUnixMillis(-1);
  turn.user_message = "hello \"you\"\n";
  turn.assistant_response = "\xF0\x9F\x8C\x92";
  turn.priority = Priority::kLow;
  turn.origin = Origin::kOfflineChat;
  turn.metadata = R"({"k":1})";
  turn.sequence = 42;
  return turn;
}

void ExpectSame(const Interaction& a, const Interaction& b) {
  EXPECT_EQ(a.interaction_id, b.interaction_id);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.session_id, b.session_id);
  EXPECT_EQ(a.speaker, b.speaker);
  EXPECT_EQ(a.occurred_at, b.occurred_at);
  EXPECT_EQ(a.accepted_at, b.accepted_at);
  EXPECT_EQ(a.user_message, b.user_message);
  EXPECT_EQ(a.assistant_response, b.assistant_response);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.origin, b.origin);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.sequence, b.sequence);
}

TEST(StoredTurn, ComesBackWhole) {
  const Interaction turn = FullTurn();
  const auto decoded = DecodeTurn(EncodeTurn(turn), kUser, "s");
  ASSERT_TRUE(decoded.has_value());
  ExpectSame(*decoded, turn);
}

TEST(StoredTurn, BeginsWithItsTokens) {
  Interaction turn = FullTurn();
  turn.user_message = std::string(40, 'x');
  turn.assistant_response = "four";
  EXPECT_EQ(EncodeTurn(turn).substr(0, 4), "11 {");
}

RC_GTEST_PROP(StoredTurn, KeepsAnyText, (const std::string& text, std::int32_t sequence)) {
  Interaction turn = FullTurn();
  turn.sequence = 1 + std::abs(static_cast<std::int64_t>(sequence));
  turn.user_message = text;
  turn.assistant_response = text;
  turn.speaker = text;
  const auto decoded = DecodeTurn(EncodeTurn(turn), kUser, "s");
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->user_message == text);
  RC_ASSERT(decoded->assistant_response == text);
  RC_ASSERT(decoded->speaker == text);
  RC_ASSERT(decoded->sequence == turn.sequence);
}

TEST(StoredTurn, IsRefusedWhenAFieldIsMissingOrOfAnotherKind) {
  const std::string text = EncodeTurn(FullTurn());
  const json::object whole = json::parse(text.substr(text.find(' ') + 1)).as_object();
  for (const auto& field : whole) {
    json::object without = whole;
    without.erase(field.key());
    EXPECT_FALSE(DecodeTurn("1 " + json::serialize(without), kUser, "s")) << field.key();
    for (const json::value& other :
         {json::value(nullptr), json::value(0.5), json::value(-7e18), json::value(json::array{})}) {
      json::object changed = whole;
      changed[field.key()] = other;
      EXPECT_FALSE(DecodeTurn("1 " + json::serialize(changed), kUser, "s")) << field.key();
    }
  }
  json::object changed = whole;
  changed["priority"] = 3;
  EXPECT_FALSE(DecodeTurn("1 " + json::serialize(changed), kUser, "s"));
}

TEST(StoredTurn, IsRefusedWhenItIsNone) {
  for (const std::string text : {"", " ", "1", "1 ", "1 []", "1 {", "{}", "1 {} {}"}) {
    EXPECT_FALSE(DecodeTurn(text, kUser, "s")) << text;
  }
}

}  // namespace
}  // namespace umbranet
