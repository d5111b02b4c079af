#include "umbranet/adapters/neo4j/graph_rows.h"

#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "umbranet/adapters/neo4j/graph_statements.h"

namespace umbranet {
namespace {

namespace json = boost::json;

json::value Time(Timestamp time) {
  return ToUnixMillis(time);
}

json::value Time(const std::optional<Timestamp>& time) {
  return time.has_value() ? json::value(ToUnixMillis(*time)) : json::value();
}

template <typename T>
json::value Optional(const std::optional<T>& value) {
  return value.has_value() ? json::value(*value) : json::value();
}

json::array Texts(std::span<const std::string> texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::object NameProperties(const std::string& name, const KnownName& row) {
  return {{"name", name},
          {"display", row.first.display},
          {"as_alias", row.first.as_alias},
          {"first_at", Time(row.first.at)},
          {"first_sequence", row.first.sequence},
          {"first_ordinal", row.first.ordinal},
          {"type", EntityTypeName(row.type)},
          {"typed_at", Time(row.typed.at)},
          {"typed_sequence", row.typed.sequence},
          {"typed_ordinal", row.typed.ordinal},
          {"last_at", Time(row.last_at)},
          {"last_sequence", row.last_sequence}};
}

json::object MergeProperties(const NamePair& names, const NameMerge& row) {
  return {{"name", names.first},
          {"other", names.second},
          {"interaction_id", row.interaction_id},
          {"occurred_at", Time(row.occurred_at)},
          {"sequence", row.sequence},
          {"recorded_at", Time(row.recorded_at)},
          {"last_sequence", row.last_sequence},
          {"parted_at", Time(row.parted_at)},
          {"parted_through", Optional(row.parted_through)}};
}

json::object SaidProperties(const UserKnowledge::Statement& statement) {
  const SaidFact& said = *statement.said;
  const PlannedFact& fact = said.fact;
  return {{"id", said.statement_id},
          {"interaction_id", said.place.interaction_id},
          {"occurred_at", Time(said.place.occurred_at)},
          {"sequence", said.place.sequence},
          {"ordinal", said.place.ordinal},
          {"recorded_at", Time(said.recorded_at)},
          {"subject", fact.subject},
          {"predicate", PredicateName(fact.predicate)},
          {"qualifier", fact.qualifier},
          {"object", fact.object},
          {"object_is_entity", fact.object_is_entity},
          {"negated", fact.negated},
          {"said", fact.text},
          {"said_from", Time(fact.valid_from)},
          {"said_to", Time(fact.valid_to)},
          {"said_confidence", fact.confidence},
          {"supersedes", fact.supersedes},
          {"ends_object", fact.ends_object},
          {"retracts", fact.retracts},
          {"edited_text", Optional(statement.edits.text)},
          {"edited_to", Time(statement.edits.valid_to)}};
}

// What was worked out, for whoever looks at the graph; it is not read back.
void AddFactProperties(const KnownFact& known, json::object& properties) {
  const Fact& fact = known.fact;
  properties["memory_id"] = fact.memory_id;
  properties["text"] = fact.text;
  properties["valid_from"] = Time(fact.valid_from);
  properties["valid_to"] = Time(fact.valid_to);
  properties["superseded_by"] = Optional(fact.superseded_by);
  properties["confidence"] = fact.confidence;
  properties["evidence"] = fact.evidence;
  properties["terms"] = Texts(known.terms);
}

// Collects the lists of parameters, all keys of one user.
class ParameterWriter {
 public:
  ParameterWriter(const UserKnowledge& before, const UserKnowledge& knowledge,
                  const GraphKeys& keys, std::int64_t revision)
      : before_(before),
        knowledge_(knowledge),
        keys_(keys),
        user_key_(keys.User(knowledge.user())),
        revision_(revision) {}

  void Entity(const std::string& root) {
    const NamedEntity* known = knowledge_.names().Find(root);
    const std::string key = keys_.Entity(knowledge_.user(), root);
    if (known == nullptr) {
      gone_entities_.emplace_back(key);
      return;
    }
    const umbranet::Entity& entity = known->entity;
    if (root == kSelfEntity) {
      self_.push_back(json::object{{"user", user_key_}, {"entity", key}});
    }
    entities_.push_back(Node(key, {{"entity_id", entity.entity_id},
                                   {"root", root},
                                   {"name", entity.name},
                                   {"type", EntityTypeName(entity.type)},
                                   {"aliases", Texts(entity.aliases)}}));
  }

  void Name(const std::string& name) {
    names_.push_back(Node(keys_.Name(knowledge_.user(), name),
                          NameProperties(name, knowledge_.names().names().at(name))));
  }

  void Relink(const std::string& name) {
    const std::string key = keys_.Name(knowledge_.user(), name);
    if (before_.names().names().contains(name)) {
      unnamed_.emplace_back(key);
    }
    for (const std::string& root : knowledge_.names().RootsOf(name)) {
      named_.push_back(
          json::object{{"name", key}, {"entity", keys_.Entity(knowledge_.user(), root)}});
    }
  }

  void Merge(const NamePair& names) {
    merges_.push_back(Node(keys_.Merge(knowledge_.user(), names),
                           MergeProperties(names, knowledge_.names().merges().at(names))));
  }

  void Statement(std::size_t index) {
    const UserKnowledge::Statement& statement = knowledge_.at(index);
    const std::string key = KeyOf(index);
    json::object properties = SaidProperties(statement);
    if (keys_.generation() != 0) {
      properties["first_key"] =
          keys_.Of(0).Statement(knowledge_.user().tenant, statement.said->statement_id);
    }
    if (index < before_.statement_count()) {
      unlinked_.emplace_back(key);
    }
    if (statement.fact != nullptr) {
      AddFactProperties(*statement.fact, properties);
      LinkFact(key, statement);
    } else if (statement.head != kNoStatement) {
      witnesses_.push_back(json::object{{"statement", key}, {"fact", KeyOf(statement.head)}});
    }
    (statement.fact != nullptr ? facts_ : statements_).push_back(Node(key, std::move(properties)));
  }

  void Erased(const SaidFact& said) {
    const std::string key = keys_.Statement(knowledge_.user().tenant, said.statement_id);
    gone_statements_.emplace_back(key);
    erased_.push_back(
        Node(key, {{"id", said.statement_id}, {"interaction_id", said.place.interaction_id}}));
  }

  // In the order in which they have to run.
  std::vector<Neo4jStatement> Take() && {
    std::vector<Neo4jStatement> statements;
    const auto add = [&](std::string_view text, json::array& rows) {
      if (!rows.empty()) {
        statements.push_back({text, {{"rows", std::move(rows)}}});
      }
    };
    add(kSaveEntities, entities_);
    add(kSaveSelf, self_);
    add(kSaveNames, names_);
    add(kUnlinkNames, unnamed_);
    add(kLinkNames, named_);
    add(kSaveMerges, merges_);
    add(kDeleteStatements, gone_statements_);
    add(kSaveErased, erased_);
    add(kSaveFacts, facts_);
    add(kSaveStatements, statements_);
    json::array unlinked = unlinked_;
    add(kUnlinkStatements, unlinked);
    add(kUnlinkSubjects, unlinked_);
    for (auto& [predicate, rows] : subjects_) {
      add(LinkSubjects(predicate), rows);
    }
    add(kLinkObjects, objects_);
    add(kLinkSuccessors, successors_);
    add(kLinkEvidence, witnesses_);
    add(kDeleteEntities, gone_entities_);
    return statements;
  }

 private:
  json::object Node(const std::string& key, json::object properties) const {
    properties["key"] = key;
    properties["owner"] = user_key_;
    properties["revision"] = revision_;
    return {{"key", key}, {"properties", std::move(properties)}};
  }

  [[nodiscard]] std::string KeyOf(std::size_t index) const {
    return keys_.Statement(knowledge_.user().tenant, knowledge_.at(index).said->statement_id);
  }

  void LinkFact(const std::string& key, const UserKnowledge::Statement& statement) {
    subjects_[statement.said->fact.predicate].push_back(json::object{
        {"fact", key}, {"entity", keys_.Entity(knowledge_.user(), statement.subject_root)}});
    if (statement.ObjectIsEntity()) {
      objects_.push_back(json::object{
          {"fact", key}, {"entity", keys_.Entity(knowledge_.user(), statement.object_root)}});
    }
    if (statement.superseded_by != kNoStatement) {
      successors_.push_back(
          json::object{{"fact", key}, {"successor", KeyOf(statement.superseded_by)}});
    }
  }

  const UserKnowledge& before_;
  const UserKnowledge& knowledge_;
  const GraphKeys& keys_;
  const std::string user_key_;
  const std::int64_t revision_;
  json::array entities_;
  json::array self_;
  json::array gone_entities_;
  json::array names_;
  json::array unnamed_;
  json::array named_;
  json::array merges_;
  json::array facts_;
  json::array statements_;
  json::array unlinked_;
  std::map<Predicate, json::array> subjects_;
  json::array objects_;
  json::array successors_;
  json::array witnesses_;
  json::array gone_statements_;
  json::array erased_;
};

// Reads the properties of one node; the first that is missing or of another kind is remembered.
class NodeReader {
 public:
  explicit NodeReader(const json::value& node) : node_(node.if_object()) {}

  std::string Text(std::string_view name) {
    std::optional<std::string> text = OptionalText(name);
    return text.has_value() ? *std::move(text) : Missing(name);
  }

  std::optional<std::string> OptionalText(std::string_view name) {
    const json::value* value = Find(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    const json::string* text = value->if_string();
    return text == nullptr ? Missing(name) : std::string(text->data(), text->size());
  }

  std::int64_t Int(std::string_view name) {
    const std::optional<std::int64_t> number = OptionalInt(name);
    if (!number.has_value()) {
      Missing(name);
    }
    return number.value_or(0);
  }

  std::optional<std::int64_t> OptionalInt(std::string_view name) {
    const json::value* value = Find(name);
    if (value == nullptr) {
      return std::nullopt;
    }
    if (const std::int64_t* number = value->if_int64()) {
      return *number;
    }
    Missing(name);
    return std::nullopt;
  }

  Timestamp Time(std::string_view name) { return FromUnixMillis(Int(name)); }

  std::optional<Timestamp> OptionalTime(std::string_view name) {
    const std::optional<std::int64_t> number = OptionalInt(name);
    return number.has_value() ? std::optional(FromUnixMillis(*number)) : std::nullopt;
  }

  bool Bool(std::string_view name) {
    const json::value* value = Find(name);
    const bool* flag = value == nullptr ? nullptr : value->if_bool();
    if (flag == nullptr) {
      Missing(name);
    }
    return flag != nullptr && *flag;
  }

  // Comes as text, since text is read exactly.
  double Real(std::string_view name) {
    const std::string text = Text(name);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      Missing(name);
    }
    return number;
  }

  [[nodiscard]] Status status() const {
    if (missing_.empty()) {
      return {};
    }
    return Error{ErrorCode::kDataLoss,
                 "neo4j: a node of the graph was changed by other hands: its property " + missing_ +
                     " is not readable"};
  }

 private:
  [[nodiscard]] const json::value* Find(std::string_view name) const {
    const json::value* value = node_ == nullptr ? nullptr : node_->if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::string Missing(std::string_view name) {
    missing_ = missing_.empty() ? std::string(name) : missing_;
    return {};
  }

  const json::object* node_;
  std::string missing_;
};

template <typename Put>
Status PutEach(const json::value& nodes, const Put& put) {
  const json::array* array = nodes.if_array();
  if (array == nullptr) {
    return Error{ErrorCode::kBadGateway, "neo4j: the answer is not the one that was asked for"};
  }
  for (const json::value& node : *array) {
    NodeReader reader(node);
    put(reader);
    UMBRANET_RETURN_IF_ERROR(reader.status());
  }
  return {};
}

}  // namespace

std::vector<Neo4jStatement> WriteStatements(const UserKnowledge& before,
                                            const UserKnowledge& knowledge,
                                            const UserKnowledge::Changes& changes,
                                            const GraphKeys& keys, std::int64_t revision) {
  ParameterWriter writer(before, knowledge, keys, revision);
  for (const std::string& root : changes.entities) {
    writer.Entity(root);
  }
  for (const std::string& name : changes.names) {
    writer.Name(name);
  }
  for (const std::string& name : changes.relinked) {
    writer.Relink(name);
  }
  for (const NamePair& names : changes.merges) {
    writer.Merge(names);
  }
  for (const std::size_t index : changes.statements) {
    if (knowledge.at(index).said != nullptr) {
      writer.Statement(index);
    }
  }
  for (const SaidFact& said : changes.erased) {
    writer.Erased(said);
  }
  return std::move(writer).Take();
}

Status PutNames(const json::value& nodes, UserKnowledge& knowledge) {
  return PutEach(nodes, [&](NodeReader& node) {
    KnownName row;
    row.first = {node.Bool("as_alias"), node.Time("first_at"), node.Int("first_sequence"),
                 node.Int("first_ordinal"), node.Text("display")};
    row.type = ParseEntityType(node.Text("type")).value_or(EntityType::kOther);
    row.typed = {false, node.Time("typed_at"), node.Int("typed_sequence"),
                 node.Int("typed_ordinal"), ""};
    row.last_at = node.Time("last_at");
    row.last_sequence = node.Int("last_sequence");
    knowledge.PutName(node.Text("name"), std::move(row));
  });
}

Status PutMerges(const json::value& nodes, UserKnowledge& knowledge) {
  return PutEach(nodes, [&](NodeReader& node) {
    NameMerge row;
    row.interaction_id = node.Text("interaction_id");
    row.occurred_at = node.Time("occurred_at");
    row.sequence = node.Int("sequence");
    row.recorded_at = node.Time("recorded_at");
    row.last_sequence = node.Int("last_sequence");
    row.parted_at = node.OptionalTime("parted_at");
    row.parted_through = node.OptionalInt("parted_through");
    knowledge.PutMerge({node.Text("name"), node.Text("other")}, std::move(row));
  });
}

Status PutStatements(const json::value& nodes, UserKnowledge& knowledge) {
  return PutEach(nodes, [&](NodeReader& node) {
    SaidFact said;
    said.statement_id = node.Text("id");
    said.place = {node.Time("occurred_at"), node.Int("sequence"), node.Text("interaction_id"),
                  static_cast<std::uint32_t>(node.Int("ordinal"))};
    said.recorded_at = node.Time("recorded_at");
    PlannedFact& fact = said.fact;
    fact.subject = node.Text("subject");
    fact.predicate = ParsePredicate(node.Text("predicate")).value_or(Predicate::kOther);
    fact.qualifier = node.Text("qualifier");
    fact.object = node.Text("object");
    fact.object_is_entity = node.Bool("object_is_entity");
    fact.negated = node.Bool("negated");
    fact.text = node.Text("said");
    fact.valid_from = node.OptionalTime("said_from");
    fact.valid_to = node.OptionalTime("said_to");
    fact.confidence = node.Real("said_confidence");
    fact.supersedes = node.Bool("supersedes");
    fact.ends_object = node.Text("ends_object");
    fact.retracts = node.Bool("retracts");
    knowledge.PutStatement(std::move(said),
                           {node.OptionalText("edited_text"), node.OptionalTime("edited_to")});
  });
}

Status PutErased(const json::value& nodes, UserKnowledge& knowledge) {
  return PutEach(nodes, [&](NodeReader& node) {
    knowledge.PutErased(node.Text("id"), node.Text("interaction_id"));
  });
}

}  // namespace umbranet
