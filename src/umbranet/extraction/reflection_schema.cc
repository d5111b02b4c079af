#include "umbranet/extraction/reflection_schema.h"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/domain/fact.h"

namespace umbranet {
namespace {

constexpr std::string_view kString = R"({"type":"string"})";
constexpr std::string_view kStrings = R"({"type":"array","items":{"type":"string"}})";
constexpr std::string_view kFlag = R"({"type":"boolean"})";
constexpr std::string_view kNumber = R"({"type":"number"})";

using Member = std::pair<std::string_view, std::string>;

// Strict servers want every member required and none beside them.
std::string Object(const std::vector<Member>& members) {
  std::string properties;
  std::string required;
  for (const auto& [name, schema] : members) {
    const std::string quoted = "\"" + std::string(name) + "\"";
    properties += (properties.empty() ? "" : ",") + quoted + ":" + schema;
    required += (required.empty() ? "" : ",") + quoted;
  }
  return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + required +
         R"(],"additionalProperties":false})";
}

std::string ArrayOf(const std::string& items) {
  return R"({"type":"array","items":)" + items + "}";
}

std::string OneOf(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view name : names) {
    list += (list.empty() ? "\"" : ",\"") + std::string(name) + "\"";
  }
  return R"({"type":"string","enum":[)" + list + "]}";
}

std::vector<std::string_view> PredicateNames() {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Predicate::kOther); ++i) {
    names.push_back(PredicateName(static_cast<Predicate>(i)));
  }
  return names;
}

std::vector<std::string_view> EntityTypeNames() {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(EntityType::kOther); ++i) {
    names.push_back(EntityTypeName(static_cast<EntityType>(i)));
  }
  return names;
}

std::string Text(std::string_view schema) {
  return std::string(schema);
}

std::string FactSchema() {
  std::vector<std::string_view> object_types = EntityTypeNames();
  object_types.push_back("value");
  return Object({{"subject", Text(kString)},
                 {"subject_type", R"({"$ref":"#/$defs/type"})"},
                 {"predicate", OneOf(PredicateNames())},
                 {"qualifier", Text(kString)},
                 {"object", Text(kString)},
                 {"object_type", OneOf(object_types)},
                 {"negated", Text(kFlag)},
                 {"ended", Text(kFlag)},
                 {"text", Text(kString)},
                 {"from", Text(kString)},
                 {"to", Text(kString)},
                 {"replaces", Text(kStrings)},
                 {"certainty", Text(kNumber)},
                 {"quote", Text(kString)}});
}

std::string RuleSchema() {
  return Object({{"kind", OneOf({"instruction", "preference"})},
                 {"text", Text(kString)},
                 {"scope", Text(kString)},
                 {"negative", Text(kFlag)},
                 {"withdraws", Text(kFlag)},
                 {"strength", Text(kNumber)},
                 {"quote", Text(kString)}});
}

std::string TurnSchema(AnswerParts parts) {
  std::vector<Member> members;
  if ((parts & kEpisodePart) != 0) {
    members.emplace_back("keep", Text(kFlag));
    members.emplace_back("skip_reason", Text(kString));
    members.emplace_back("summary", Text(kString));
    members.emplace_back("importance", Text(kNumber));
    members.emplace_back("dates",
                         ArrayOf(Object({{"from", Text(kString)}, {"to", Text(kString)}})));
  }
  if ((parts & kFactPart) != 0) {
    members.emplace_back("entities", ArrayOf(Object({{"name", Text(kString)},
                                                     {"type", R"({"$ref":"#/$defs/type"})"},
                                                     {"aliases", Text(kStrings)}})));
    members.emplace_back("facts", ArrayOf(FactSchema()));
  }
  if ((parts & kRulePart) != 0) {
    members.emplace_back("rules", ArrayOf(RuleSchema()));
  }
  return Object(members);
}

}  // namespace

AnswerSchema ReflectionSchema(std::size_t turns, AnswerParts parts) {
  std::vector<std::string> handles;
  std::vector<Member> members;
  handles.reserve(turns);
  for (std::size_t i = 0; i < turns; ++i) {
    handles.push_back(TurnHandle(i));
  }
  for (const std::string& handle : handles) {
    members.emplace_back(handle, R"({"$ref":"#/$defs/turn"})");
  }
  std::string schema = Object(members);
  schema.pop_back();
  schema += R"(,"$defs":{"turn":)" + TurnSchema(parts);
  if ((parts & kFactPart) != 0) {
    schema += R"(,"type":)" + OneOf(EntityTypeNames());
  }
  schema += "}}";
  return {.name = "reflection", .schema = std::move(schema)};
}

}  // namespace umbranet
