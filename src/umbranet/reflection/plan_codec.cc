#include "umbranet/reflection/plan_codec.h"

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr double kMillion = 1'000'000;
constexpr std::size_t kDepthMax = 8;

constexpr std::string_view kInstructionName = "instruction";
constexpr std::string_view kPreferenceName = "preference";

Error BadPlan(ErrorCode code, std::string what) {
  return {code, "plan: " + std::move(what)};
}

// --- writing -----------------------------------------------------------------------------------

// Builds values and remembers the first thing that may not be written.
class Writer {
 public:
  json::string Text(std::string_view name, std::string_view text) {
    if (!IsValidUtf8(text)) {
      Refuse(std::string(name) + " is not utf-8");
    }
    return json::string(text);
  }

  std::int64_t Fraction(std::string_view name, double value) {
    if (!(value >= 0 && value <= 1)) {
      Refuse(std::string(name) + " is not within 0 and 1");
      return 0;
    }
    return std::llround(value * kMillion);
  }

  static json::value Time(const std::optional<Timestamp>& time) {
    return time ? json::value(ToUnixMillis(*time)) : json::value(nullptr);
  }

  void Refuse(std::string what) {
    if (refusal_.empty()) {
      refusal_ = std::move(what);
    }
  }

  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  std::string refusal_;
};

json::object WriteEpisode(Writer& writer, const PlannedEpisode& episode) {
  json::array times;
  for (const TimeRange& range : episode.event_times) {
    times.push_back(json::array{ToUnixMillis(range.start), ToUnixMillis(range.end)});
  }
  return {{"role", RoleName(episode.role)},
          {"speaker", writer.Text("speaker", episode.speaker)},
          {"text", writer.Text("text", episode.text)},
          {"importance_ppm", writer.Fraction("importance", episode.importance)},
          {"event_times", std::move(times)}};
}

json::object WriteEntity(Writer& writer, const PlannedEntity& entity) {
  json::array aliases;
  for (const std::string& alias : entity.aliases) {
    aliases.push_back(writer.Text("alias", alias));
  }
  return {{"name", writer.Text("name", entity.name)},
          {"type", EntityTypeName(entity.type)},
          {"aliases", std::move(aliases)}};
}

json::object WriteFact(Writer& writer, const PlannedFact& fact) {
  return {{"subject", writer.Text("subject", fact.subject)},
          {"predicate", PredicateName(fact.predicate)},
          {"qualifier", writer.Text("qualifier", fact.qualifier)},
          {"object", writer.Text("object", fact.object)},
          {"object_is_entity", fact.object_is_entity},
          {"negated", fact.negated},
          {"text", writer.Text("text", fact.text)},
          {"valid_from", Writer::Time(fact.valid_from)},
          {"valid_to", Writer::Time(fact.valid_to)},
          {"confidence_ppm", writer.Fraction("confidence", fact.confidence)},
          {"supersedes", fact.supersedes},
          {"ends_object", writer.Text("ends_object", fact.ends_object)},
          {"retracts", fact.retracts}};
}

json::object WriteRule(Writer& writer, const PlannedRule& rule) {
  return {{"kind", rule.kind == RuleKind::kInstruction ? kInstructionName : kPreferenceName},
          {"text", writer.Text("text", rule.text)},
          {"scope", writer.Text("scope", rule.scope)},
          {"key", writer.Text("key", rule.key)},
          {"negative", rule.negative},
          {"confidence_ppm", writer.Fraction("confidence", rule.confidence)},
          {"withdraws", rule.withdraws}};
}

template <typename Item, typename Write>
json::array WriteAll(Writer& writer, const std::vector<Item>& items, Write write) {
  json::array out;
  out.reserve(items.size());
  for (const Item& item : items) {
    out.push_back(write(writer, item));
  }
  return out;
}

// --- reading -----------------------------------------------------------------------------------

// The fields of one object, each read once. The first problem is kept with its path, and everything
// read after it is empty, so that reading goes straight on and is judged at its end.
class Fields {
 public:
  Fields(const json::value& value, std::string path, std::string& problem)
      : object_(value.if_object()), path_(std::move(path)), problem_(problem) {
    if (object_ == nullptr) {
      Complain("", "must be an object");
    }
  }

  std::string Text(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr) {
      return {};
    }
    if (const json::string* text = value->if_string()) {
      return {text->data(), text->size()};
    }
    Complain(name, "must be a string");
    return {};
  }

  // Of a field that is written only where it says something.
  std::string TextIfAny(std::string_view name) {
    const bool there = problem_.empty() && object_->contains(name);
    return there ? Text(name) : std::string();
  }

  std::int64_t Integer(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr) {
      return 0;
    }
    if (const std::int64_t* number = value->if_int64()) {
      return *number;
    }
    Complain(name, "must be a whole number");
    return 0;
  }

  double Fraction(std::string_view name) {
    const std::int64_t millionths = Integer(name);
    if (millionths < 0 || millionths > static_cast<std::int64_t>(kMillion)) {
      Complain(name, "must be within 0 and 1000000");
      return 0;
    }
    return static_cast<double>(millionths) / kMillion;
  }

  bool Flag(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr) {
      return false;
    }
    if (const bool* flag = value->if_bool()) {
      return *flag;
    }
    Complain(name, "must be true or false");
    return false;
  }

  std::optional<Timestamp> OptionalTime(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr || value->is_null()) {
      return std::nullopt;
    }
    if (const std::int64_t* millis = value->if_int64()) {
      return FromUnixMillis(*millis);
    }
    Complain(name, "must be a whole number or null");
    return std::nullopt;
  }

  // One of a closed list, as `parse` reads it.
  template <typename Value, typename Parse>
  Value OneOf(std::string_view name, Value fallback, Parse parse) {
    const std::string text = Text(name);
    if (!problem_.empty()) {
      return fallback;
    }
    if (const std::optional<Value> value = parse(text)) {
      return *value;
    }
    Complain(name, "is not known");
    return fallback;
  }

  template <typename Read>
  auto Each(std::string_view name, Read read) {
    using Item = decltype(read(std::declval<const json::value&>(), std::string(), problem_));
    std::vector<Item> items;
    const json::value* value = Take(name);
    if (value == nullptr) {
      return items;
    }
    const json::array* array = value->if_array();
    if (array == nullptr) {
      Complain(name, "must be an array");
      return items;
    }
    items.reserve(array->size());
    for (std::size_t i = 0; i < array->size() && problem_.empty(); ++i) {
      items.push_back(read((*array)[i], Path(name) + "[" + std::to_string(i) + "]", problem_));
    }
    return items;
  }

  // After the last field: there must be no other.
  void Finish() {
    if (object_ != nullptr && problem_.empty() && object_->size() != taken_) {
      Complain("", "has a field that no plan has");
    }
  }

 private:
  const json::value* Take(std::string_view name) {
    if (!problem_.empty()) {
      return nullptr;
    }
    const json::value* value = object_->if_contains(name);
    if (value == nullptr) {
      Complain(name, "is missing");
      return nullptr;
    }
    ++taken_;
    return value;
  }

  [[nodiscard]] std::string Path(std::string_view name) const {
    if (path_.empty() || name.empty()) {
      return path_ + std::string(name);
    }
    return path_ + "." + std::string(name);
  }

  void Complain(std::string_view name, std::string_view what) {
    if (problem_.empty()) {
      const std::string path = Path(name);
      problem_ = (path.empty() ? "it" : path) + " " + std::string(what);
    }
  }

  const json::object* object_;
  const std::string path_;
  std::string& problem_;
  std::size_t taken_ = 0;
};

std::optional<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kUser, Role::kAssistant}) {
    if (name == RoleName(role)) {
      return role;
    }
  }
  return std::nullopt;
}

std::optional<RuleKind> ParseRuleKind(std::string_view name) {
  if (name == kInstructionName) {
    return RuleKind::kInstruction;
  }
  if (name == kPreferenceName) {
    return RuleKind::kPreference;
  }
  return std::nullopt;
}

TimeRange ReadRange(const json::value& value, const std::string& path, std::string& problem) {
  const json::array* pair = value.if_array();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_int64()) {
    problem = path + " must be two whole numbers";
    return {};
  }
  return {FromUnixMillis((*pair)[0].get_int64()), FromUnixMillis((*pair)[1].get_int64())};
}

std::string ReadText(const json::value& value, const std::string& path, std::string& problem) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    problem = path + " must be a string";
    return {};
  }
  return {text->data(), text->size()};
}

PlannedEpisode ReadEpisode(const json::value& value, std::string path, std::string& problem) {
  Fields fields(value, std::move(path), problem);
  PlannedEpisode episode;
  episode.role = fields.OneOf("role", Role::kUser, ParseRole);
  episode.speaker = fields.Text("speaker");
  episode.text = fields.Text("text");
  episode.importance = fields.Fraction("importance_ppm");
  episode.event_times = fields.Each("event_times", ReadRange);
  fields.Finish();
  return episode;
}

PlannedEntity ReadEntity(const json::value& value, std::string path, std::string& problem) {
  Fields fields(value, std::move(path), problem);
  PlannedEntity entity;
  entity.name = fields.Text("name");
  entity.type = fields.OneOf("type", EntityType::kOther, ParseEntityType);
  entity.aliases = fields.Each("aliases", ReadText);
  fields.Finish();
  return entity;
}

PlannedFact ReadFact(const json::value& value, std::string path, std::string& problem) {
  Fields fields(value, std::move(path), problem);
  PlannedFact fact;
  fact.subject = fields.Text("subject");
  fact.predicate = fields.OneOf("predicate", Predicate::kOther, ParsePredicate);
  fact.qualifier = fields.Text("qualifier");
  fact.object = fields.Text("object");
  fact.object_is_entity = fields.Flag("object_is_entity");
  fact.negated = fields.Flag("negated");
  fact.text = fields.Text("text");
  fact.valid_from = fields.OptionalTime("valid_from");
  fact.valid_to = fields.OptionalTime("valid_to");
  fact.confidence = fields.Fraction("confidence_ppm");
  fact.supersedes = fields.Flag("supersedes");
  fact.ends_object = fields.Text("ends_object");
  fact.retracts = fields.Flag("retracts");
  fields.Finish();
  return fact;
}

PlannedRule ReadRule(const json::value& value, std::string path, std::string& problem) {
  Fields fields(value, std::move(path), problem);
  PlannedRule rule;
  rule.kind = fields.OneOf("kind", RuleKind::kInstruction, ParseRuleKind);
  rule.text = fields.Text("text");
  rule.scope = fields.Text("scope");
  rule.key = fields.Text("key");
  rule.negative = fields.Flag("negative");
  rule.confidence = fields.Fraction("confidence_ppm");
  rule.withdraws = fields.Flag("withdraws");
  fields.Finish();
  return rule;
}

ReflectionPlan ReadPlan(const json::value& value, std::string& problem) {
  Fields fields(value, "", problem);
  if (const std::int64_t version = fields.Integer("version");
      problem.empty() && version != kPlanVersion) {
    problem = "version " + std::to_string(version) + " is not known here";
  }
  ReflectionPlan plan;
  plan.job_id = fields.Text("job_id");
  plan.interaction_id = fields.Text("interaction_id");
  plan.user.tenant = fields.Text("tenant");
  plan.user.user_id = fields.Text("user_id");
  plan.session_id = fields.Text("session_id");
  plan.occurred_at = FromUnixMillis(fields.Integer("occurred_at"));
  plan.sequence = fields.Integer("sequence");
  plan.extractor = fields.Text("extractor");
  plan.skipped_reason = fields.Text("skipped_reason");
  plan.fallback = fields.TextIfAny("fallback");
  plan.episodes = fields.Each("episodes", ReadEpisode);
  plan.entities = fields.Each("entities", ReadEntity);
  plan.facts = fields.Each("facts", ReadFact);
  plan.rules = fields.Each("rules", ReadRule);
  fields.Finish();
  if (problem.empty() && (plan.job_id.empty() || plan.interaction_id.empty())) {
    problem = "job_id and interaction_id must not be empty";
  }
  return plan;
}

}  // namespace

Result<std::string> EncodePlan(const ReflectionPlan& plan) {
  Writer writer;
  if (plan.job_id.empty() || plan.interaction_id.empty()) {
    writer.Refuse("job_id and interaction_id must not be empty");
  }
  json::object object{{"version", kPlanVersion},
                      {"job_id", writer.Text("job_id", plan.job_id)},
                      {"interaction_id", writer.Text("interaction_id", plan.interaction_id)},
                      {"tenant", writer.Text("tenant", plan.user.tenant)},
                      {"user_id", writer.Text("user_id", plan.user.user_id)},
                      {"session_id", writer.Text("session_id", plan.session_id)},
                      {"occurred_at", ToUnixMillis(plan.occurred_at)},
                      {"sequence", plan.sequence},
                      {"extractor", writer.Text("extractor", plan.extractor)},
                      {"skipped_reason", writer.Text("skipped_reason", plan.skipped_reason)},
                      {"episodes", WriteAll(writer, plan.episodes, WriteEpisode)},
                      {"entities", WriteAll(writer, plan.entities, WriteEntity)},
                      {"facts", WriteAll(writer, plan.facts, WriteFact)},
                      {"rules", WriteAll(writer, plan.rules, WriteRule)}};
  if (!plan.fallback.empty()) {
    object["fallback"] = writer.Text("fallback", plan.fallback);
  }
  std::string bytes = json::serialize(object);
  if (bytes.size() > kPlanBytesMax) {
    writer.Refuse("it is larger than " + std::to_string(kPlanBytesMax) + " bytes");
  }
  if (!writer.refusal().empty()) {
    return BadPlan(ErrorCode::kInvalidArgument, writer.refusal());
  }
  return bytes;
}

Result<ReflectionPlan> DecodePlan(std::string_view bytes) {
  if (bytes.size() > kPlanBytesMax) {
    return BadPlan(ErrorCode::kDataLoss, "it is larger than a plan may be");
  }
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::error_code failure;
  const json::value value = json::parse(bytes, failure, {}, options);
  if (failure) {
    return BadPlan(ErrorCode::kDataLoss, "it is not json: " + failure.message());
  }
  std::string problem;
  ReflectionPlan plan = ReadPlan(value, problem);
  if (!problem.empty()) {
    return BadPlan(ErrorCode::kDataLoss, std::move(problem));
  }
  return plan;
}

}  // namespace umbranet
