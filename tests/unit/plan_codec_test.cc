// Goal: a plan survives the ledger unchanged, and bytes that are no plan are refused with a reason.
// Method: random plans there and back; one valid plan spoilt in every way that can be named.
#include "umbranet/reflection/plan_codec.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace umbranet {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

ReflectionPlan FullPlan() {
  ReflectionPlan plan;
  plan.job_id = "job-1";
  plan.interaction_id = "turn-1";
  plan.user = {"default", "a.b/c d"};
  plan.session_id = "s";
  plan.occurred_at = FromUnixMillis(1'714'730'400'123);
  plan.sequence = 42;
  plan.extractor = "rules/1";
  plan.episodes = {{Role::kUser,
                    "User",
                    "My sister Ana lives in Porto.\n\"quoted\" \xF0\x9F\x98\x80",
                    0.7,
                    {{FromUnixMillis(-5), FromUnixMillis(7)}}},
                   {Role::kAssistant, "Assistant", "Noted.", 0.1, {}}};
  plan.entities = {{std::string(kSelfEntity), EntityType::kPerson, {}},
                   {"Ana", EntityType::kPerson, {"Anita", "sis"}}};
  PlannedFact fact;
  fact.subject = "Ana";
  fact.predicate = Predicate::kLivesIn;
  fact.object = "Porto";
  fact.object_is_entity = true;
  fact.text = "Ana lives in Porto";
  fact.valid_from = FromUnixMillis(0);
  fact.confidence = 0.85;
  fact.supersedes = true;
  fact.ends_object = "Lisbon";
  plan.facts = {fact};
  plan.rules = {{RuleKind::kPreference, "I prefer window seats", "travel", "prefer window seat",
                 false, 0.9, true}};
  return plan;
}

std::string Encoded(const ReflectionPlan& plan) {
  return EncodePlan(plan).value_or("");
}

TEST(PlanCodec, ReadsBackWhatItWrote) {
  const auto plan = DecodePlan(Encoded(FullPlan()));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(*plan, FullPlan());
}

TEST(PlanCodec, ReadsBackAPlanThatKeepsNothing) {
  ReflectionPlan plan;
  plan.job_id = "j";
  plan.interaction_id = "t";
  plan.skipped_reason = "greeting";
  const auto decoded = DecodePlan(Encoded(plan));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, plan);
}

TEST(PlanCodec, RefusesToWriteWhatNoPlanMaySay) {
  const auto refused = [](auto spoil) {
    ReflectionPlan plan = FullPlan();
    spoil(plan);
    const auto bytes = EncodePlan(plan);
    return bytes.ok() ? std::string("accepted") : bytes.error().message;
  };
  EXPECT_THAT(refused([](auto& plan) { plan.job_id.clear(); }), HasSubstr("job_id"));
  EXPECT_THAT(refused([](auto& plan) { plan.facts[0].confidence = 1.5; }), HasSubstr("confidence"));
  EXPECT_THAT(refused([](auto& plan) { plan.episodes[0].importance = std::nan(""); }),
              HasSubstr("importance"));
  EXPECT_THAT(refused([](auto& plan) { plan.rules[0].text = "\xC3"; }), HasSubstr("utf-8"));
  EXPECT_THAT(refused([](auto& plan) { plan.episodes[0].text.assign(kPlanBytesMax, 'x'); }),
              HasSubstr("larger"));
}

TEST(PlanCodec, RefusesBytesThatAreNoPlan) {
  for (const std::string_view bytes :
       {"", " ", "null", "[]", "{}", "{\"version\":1", "{\"version\":1}garbage", "\xFF\xFE",
        "{\"version\":\"1\"}", "[[[[[[[[[[[[]]]]]]]]]]]]", "{\"version\":1e0}"}) {
    const auto plan = DecodePlan(bytes);
    ASSERT_FALSE(plan.ok()) << bytes;
    EXPECT_EQ(plan.error().code, ErrorCode::kDataLoss);
    EXPECT_THAT(plan.error().message, HasSubstr("plan: "));
  }
}

TEST(PlanCodec, RefusesEveryFieldThatIsMissingOrOfAnotherType) {
  const json::object whole = json::parse(Encoded(FullPlan())).as_object();
  for (const auto& field : whole) {
    json::object spoilt = whole;
    spoilt.erase(field.key());
    const auto missing = DecodePlan(json::serialize(spoilt));
    ASSERT_FALSE(missing.ok()) << field.key();
    EXPECT_THAT(missing.error().message, HasSubstr(std::string(field.key()) + " is missing"));
    spoilt = whole;
    spoilt[field.key()] = json::object{};
    ASSERT_FALSE(DecodePlan(json::serialize(spoilt)).ok()) << field.key();
  }
  for (const auto* list : {"episodes", "entities", "facts", "rules"}) {
    for (const auto& field : whole.at(list).as_array().at(0).as_object()) {
      json::object spoilt = whole;
      spoilt.at(list).as_array().at(0).as_object().erase(field.key());
      ASSERT_FALSE(DecodePlan(json::serialize(spoilt)).ok()) << list << field.key();
      spoilt = whole;
      spoilt.at(list).as_array().at(0).as_object()[field.key()] = json::object{};
      const auto other = DecodePlan(json::serialize(spoilt));
      ASSERT_FALSE(other.ok()) << list << field.key();
      EXPECT_THAT(other.error().message,
                  HasSubstr(std::string(list) + "[0]." + std::string(field.key())));
    }
  }
}

TEST(PlanCodec, RefusesFieldsVersionsAndWordsThatItDoesNotKnow) {
  const json::object whole = json::parse(Encoded(FullPlan())).as_object();
  const auto refused = [&](auto spoil) {
    json::object spoilt = whole;
    spoil(spoilt);
    const auto plan = DecodePlan(json::serialize(spoilt));
    return plan.ok() ? std::string("accepted") : plan.error().message;
  };
  EXPECT_THAT(refused([](auto& o) { o["extra"] = 1; }), HasSubstr("field that no plan has"));
  EXPECT_THAT(refused([](auto& o) { o["version"] = 2; }), HasSubstr("version 2"));
  EXPECT_THAT(refused([](auto& o) { o["facts"].as_array()[0].as_object()["predicate"] = "eats"; }),
              HasSubstr("facts[0].predicate is not known"));
  EXPECT_THAT(refused([](auto& o) { o["rules"].as_array()[0].as_object()["extra"] = true; }),
              HasSubstr("rules[0] has a field"));
  EXPECT_THAT(
      refused([](auto& o) { o["facts"].as_array()[0].as_object()["confidence_ppm"] = 1'000'001; }),
      HasSubstr("within"));
  EXPECT_THAT(refused([](auto& o) { o["episodes"].as_array()[0] = 7; }),
              HasSubstr("episodes[0] must be an object"));
  EXPECT_THAT(refused([](auto& o) { o["job_id"] = ""; }), HasSubstr("must not be empty"));
}

std::string AnyText() {
  static const std::vector<std::string> kPieces = {
      "a", "Ana", " ", "\n", "\"", "\\", "é", "\xF0\x9F\x98\x80", "</", "\x01"};
  std::string text;
  for (const auto& piece :
       *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kPieces))) {
    text += piece;
  }
  return text;
}

double AnyFraction() {
  return *rc::gen::inRange(0, 1'000'001) / 1e6;
}

std::optional<Timestamp> AnyTime() {
  if (*rc::gen::arbitrary<bool>()) {
    return std::nullopt;
  }
  return FromUnixMillis(*rc::gen::arbitrary<std::int64_t>());
}

PlannedFact AnyFact() {
  PlannedFact fact;
  fact.subject = AnyText();
  fact.predicate = static_cast<Predicate>(*rc::gen::inRange(0, 29));
  fact.qualifier = AnyText();
  fact.object = AnyText();
  fact.object_is_entity = *rc::gen::arbitrary<bool>();
  fact.negated = *rc::gen::arbitrary<bool>();
  fact.text = AnyText();
  fact.valid_from = AnyTime();
  fact.valid_to = AnyTime();
  fact.confidence = AnyFraction();
  fact.supersedes = *rc::gen::arbitrary<bool>();
  fact.ends_object = AnyText();
  fact.retracts = *rc::gen::arbitrary<bool>();
  return fact;
}

RC_GTEST_PROP(PlanCodecProperty, EveryPlanReadsBackTheSame, ()) {
  ReflectionPlan plan;
  plan.job_id = "j" + AnyText();
  plan.interaction_id = "t" + AnyText();
  plan.user = {AnyText(), AnyText()};
  plan.session_id = AnyText();
  plan.occurred_at = FromUnixMillis(*rc::gen::arbitrary<std::int64_t>());
  plan.sequence = *rc::gen::arbitrary<std::int64_t>();
  plan.extractor = AnyText();
  plan.skipped_reason = AnyText();
  const int items = *rc::gen::inRange(0, 4);
  for (int i = 0; i < items; ++i) {
    plan.episodes.push_back({*rc::gen::element(Role::kUser, Role::kAssistant),
                             AnyText(),
                             AnyText(),
                             AnyFraction(),
                             {{AnyTime().value_or(Timestamp{}), AnyTime().value_or(Timestamp{})}}});
    plan.entities.push_back(
        {AnyText(), static_cast<EntityType>(*rc::gen::inRange(0, 8)), {AnyText(), AnyText()}});
    plan.facts.push_back(AnyFact());
    plan.rules.push_back({*rc::gen::element(RuleKind::kInstruction, RuleKind::kPreference),
                          AnyText(), AnyText(), AnyText(), *rc::gen::arbitrary<bool>(),
                          AnyFraction(), *rc::gen::arbitrary<bool>()});
  }
  const auto bytes = EncodePlan(plan);
  RC_ASSERT(bytes.ok());
  const auto decoded = DecodePlan(*bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(*decoded == plan);
}

RC_GTEST_PROP(PlanCodecProperty, APlanCutShortIsRefused, ()) {
  const std::string bytes = Encoded(FullPlan());
  const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!DecodePlan(bytes.substr(0, size)).ok());
}

}  // namespace
}  // namespace umbranet
