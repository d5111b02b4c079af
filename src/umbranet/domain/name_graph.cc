#include "umbranet/domain/name_graph.h"

#include <algorithm>
#include <tuple>

#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

// Ordinals of names that a fact uses come after those of the plan's entities.
constexpr std::int64_t kFactOrdinal = 1'000'000;

bool IsShownAlike(const Entity& a, const Entity& b) {
  return a.name == b.name && a.type == b.type && a.aliases == b.aliases;
}

}  // namespace

std::string NameGraph::Mention(const ReflectionPlan& plan, std::string_view text, EntityType type,
                               bool as_alias, std::int64_t ordinal) {
  std::string name = NormalizeName(text);
  if (name.empty()) {
    return name;
  }
  const auto [at, fresh] = names_.try_emplace(name);
  KnownName& row = at->second;
  NameUse use{as_alias, plan.occurred_at, plan.sequence, ordinal, std::string(text)};
  if (fresh || use < row.first) {
    row.first = std::move(use);
  }
  const NameUse typed{false, plan.occurred_at, plan.sequence, ordinal, ""};
  if (type != EntityType::kOther && (row.type == EntityType::kOther || typed < row.typed)) {
    row.type = type;
    row.typed = typed;
  }
  const std::pair last(plan.occurred_at, plan.sequence);
  if (fresh || last > std::pair(row.last_at, row.last_sequence)) {
    row.last_at = last.first;
    row.last_sequence = last.second;
  }
  touched_.insert(name);
  return name;
}

void NameGraph::Note(const ReflectionPlan& plan, const std::string& name, const std::string& other,
                     Timestamp now) {
  const auto [at, fresh] = merges_.try_emplace({name, other});
  NameMerge& merge = at->second;
  if (merge.parted_through && plan.sequence <= *merge.parted_through) {
    return;
  }
  const bool holds = !fresh && merge.Holds();
  if (!holds ||
      std::pair(plan.occurred_at, plan.sequence) < std::pair(merge.occurred_at, merge.sequence)) {
    merge.interaction_id = plan.interaction_id;
    merge.occurred_at = plan.occurred_at;
    merge.sequence = plan.sequence;
    merge.recorded_at = holds ? merge.recorded_at : now;
    // Claims go by the time that they were made; what unites does so at any time.
    restructured_ = restructured_ || !holds || IsRelationName(name);
  }
  merge.last_sequence = holds ? std::max(merge.last_sequence, plan.sequence) : plan.sequence;
  noted_.insert(at->first);
}

void NameGraph::TakeIn(const ReflectionPlan& plan, Timestamp now) {
  std::int64_t ordinal = 0;
  for (const PlannedEntity& entity : plan.entities) {
    const std::string name = Mention(plan, entity.name, entity.type, false, ordinal++);
    for (const std::string& alias : entity.aliases) {
      const std::string other = Mention(plan, alias, EntityType::kOther, true, ordinal++);
      if (name.empty() || other.empty() || name == other) {
        continue;
      }
      const bool relation = IsRelationName(name);
      const bool claim = relation != IsRelationName(other);
      if (relation && !claim) {
        continue;
      }
      const bool first = claim ? relation : name < other;
      Note(plan, first ? name : other, first ? other : name, now);
    }
  }
  ordinal = kFactOrdinal;
  for (const PlannedFact& fact : plan.facts) {
    Mention(plan, fact.subject, EntityType::kOther, false, ordinal++);
    if (fact.object_is_entity) {
      Mention(plan, fact.object, EntityType::kOther, false, ordinal++);
    }
  }
}

std::size_t NameGraph::Part(std::string_view name, std::string_view from, Timestamp now) {
  std::size_t undone = 0;
  for (auto& [names, merge] : merges_) {
    const auto& [first, second] = names;
    const bool meant = first == name || second == name;
    if (!meant || !merge.Holds() || (!from.empty() && first != from && second != from)) {
      continue;
    }
    ++undone;
    merge.parted_at = now;
    merge.parted_through = merge.last_sequence;
    noted_.insert(names);
    restructured_ = true;
  }
  return undone;
}

void NameGraph::TakeOverPartings(const NameGraph& other) {
  for (const auto& [names, theirs] : other.merges_) {
    if (!theirs.parted_through.has_value()) {
      continue;
    }
    const auto [at, fresh] = merges_.try_emplace(names, theirs);
    NameMerge& mine = at->second;
    if (fresh) {
      // A turn that came later has said so anew there, and will have to say so here.
      mine.last_sequence = *theirs.parted_through;
    } else if (mine.parted_through.value_or(-1) >= *theirs.parted_through) {
      continue;
    } else {
      mine.parted_at = theirs.parted_at;
      mine.parted_through = theirs.parted_through;
    }
    noted_.insert(names);
    restructured_ = true;
  }
}

void NameGraph::PutName(const std::string& name, KnownName row) {
  names_.insert_or_assign(name, std::move(row));
  touched_.insert(name);
}

void NameGraph::PutMerge(const NamePair& names, NameMerge row) {
  merges_.insert_or_assign(names, std::move(row));
  restructured_ = true;
}

void NameGraph::UniteNames() {
  roots_.clear();
  claims_.clear();
  for (const auto& [name, row] : names_) {
    roots_.emplace(name, name);
  }
  std::vector<const NamePair*> bonds;
  for (const auto& [names, merge] : merges_) {
    if (!merge.Holds() || !roots_.contains(names.first) || !roots_.contains(names.second)) {
      continue;
    }
    if (IsRelationName(names.first)) {
      claims_[names.first].push_back({merge.occurred_at, merge.sequence, names.second});
    } else {
      bonds.push_back(&names);
    }
  }
  for (auto& [name, claims] : claims_) {
    std::sort(claims.begin(), claims.end());
  }
  // The least name of those that are bound together is their root, but for the user, who stays the
  // user.
  for (bool changed = true; changed;) {
    changed = false;
    for (const NamePair* bond : bonds) {
      std::string& a = roots_.at(bond->first);
      std::string& b = roots_.at(bond->second);
      const bool self = a == kSelfEntity || b == kSelfEntity;
      const std::string root = self ? std::string(kSelfEntity) : std::min(a, b);
      changed = changed || a != root || b != root;
      a = root;
      b = root;
    }
  }
}

void NameGraph::Link(const std::string& name, Settled& settled) {
  std::vector<std::string> roots = RootsOf(name);
  std::vector<std::string>& links = links_[name];
  if (links == roots) {
    return;
  }
  for (const std::string& root : links) {
    const auto members = members_.find(root);
    if (members == members_.end()) {
      continue;  // Two claims on a relation name lead to one root, which is named twice.
    }
    members->second.erase(name);
    if (members->second.empty()) {
      members_.erase(members);
    }
    settled.changed.insert(root);
  }
  for (const std::string& root : roots) {
    members_[root].insert(name);
    settled.changed.insert(root);
  }
  links = std::move(roots);
  settled.relinked.insert(name);
}

NameGraph::Settled NameGraph::Settle() {
  Settled settled;
  if (restructured_) {
    settled.moved = true;
    UniteNames();
    for (const auto& [name, row] : names_) {
      Link(name, settled);
    }
    // Whether a name stands for others decides how it counts where it is one among several.
    for (const auto& [root, names] : members_) {
      settled.changed.insert(root);
    }
  }
  for (const std::string& name : touched_) {
    roots_.emplace(name, name);
    Link(name, settled);
    for (std::string& root : RootsOf(name)) {
      settled.changed.insert(std::move(root));
    }
  }
  settled.names = std::move(touched_);
  settled.merges = std::move(noted_);
  noted_.clear();
  restructured_ = false;
  touched_.clear();
  for (auto root = settled.changed.begin(); root != settled.changed.end();) {
    if (!members_.contains(*root)) {
      entities_.erase(*root++);
      continue;
    }
    NamedEntity now = MakeEntity(*root);
    const auto [at, fresh] = entities_.try_emplace(*root);
    const bool alike = !fresh && IsShownAlike(at->second.entity, now.entity);
    at->second = std::move(now);
    root = alike ? settled.changed.erase(root) : std::next(root);
  }
  return settled;
}

NamedEntity NameGraph::MakeEntity(const std::string& root) const {
  NamedEntity made;
  Entity& entity = made.entity;
  entity.entity_id = "en_" + NameUuidV5({"entity", user_.tenant, user_.user_id, root});
  entity.user = user_;
  const bool self = root == kSelfEntity;
  const NameUse* best = nullptr;
  const KnownName* typed = nullptr;
  std::set<std::string> displays;
  for (const std::string& name : members_.at(root)) {
    const KnownName& row = names_.at(name);
    if (!self || name != kSelfEntity) {
      displays.insert(row.first.display);
    }
    if (claims_.contains(name)) {
      continue;
    }
    if (best == nullptr || row.first < *best) {
      best = &row.first;
    }
    if (row.type != EntityType::kOther && (typed == nullptr || row.typed < typed->typed)) {
      typed = &row;
    }
    const auto last = std::max(std::tuple(made.last_at, made.last_sequence),
                               std::tuple(row.last_at, row.last_sequence));
    std::tie(made.last_at, made.last_sequence) = last;
  }
  entity.name = self ? std::string(kSelfEntity) : best != nullptr ? best->display : root;
  entity.type = self ? EntityType::kPerson : typed == nullptr ? EntityType::kOther : typed->type;
  displays.erase(entity.name);
  entity.aliases.assign(displays.begin(), displays.end());
  return made;
}

const std::string& NameGraph::RootOf(const std::string& name) const {
  const auto root = roots_.find(name);
  return root == roots_.end() ? name : root->second;
}

const std::string& NameGraph::Resolve(const std::string& name, Timestamp at,
                                      std::int64_t sequence) const {
  const auto claims = claims_.find(name);
  if (claims == claims_.end()) {
    return RootOf(name);
  }
  const Claim* chosen = &claims->second.front();
  for (const Claim& claim : claims->second) {
    if (std::pair(claim.first_at, claim.first_sequence) <= std::pair(at, sequence)) {
      chosen = &claim;
    }
  }
  return RootOf(chosen->name);
}

std::vector<std::string> NameGraph::RootsOf(const std::string& name) const {
  const auto claims = claims_.find(name);
  if (claims == claims_.end()) {
    return {RootOf(name)};
  }
  std::vector<std::string> roots;
  for (const Claim& claim : claims->second) {
    roots.push_back(RootOf(claim.name));
  }
  return roots;
}

const NamedEntity* NameGraph::Find(const std::string& root) const {
  const auto found = entities_.find(root);
  return found == entities_.end() ? nullptr : &found->second;
}

std::vector<std::string> NameGraph::CallNames(const std::string& root) const {
  const NamedEntity* known = Find(root);
  if (known == nullptr) {
    return {};
  }
  std::vector<std::string> names = known->entity.aliases;
  if (known->entity.name != kSelfEntity) {
    names.push_back(known->entity.name);
  }
  return names;
}

std::vector<EntityMerge> NameGraph::Log(std::size_t limit) const {
  std::vector<std::pair<std::int64_t, EntityMerge>> ordered;
  const auto display = [this](const std::string& name) {
    const auto known = names_.find(name);
    return known == names_.end() ? name : known->second.first.display;
  };
  for (const auto& [names, row] : merges_) {
    EntityMerge merge{display(names.first), display(names.second), row.interaction_id,
                      row.occurred_at,      row.recorded_at,       std::nullopt};
    if (!row.Holds()) {
      merge.parted_at = row.parted_at;
    }
    ordered.emplace_back(row.sequence, std::move(merge));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.occurred_at, a.first) > std::pair(b.second.occurred_at, b.first);
  });
  std::vector<EntityMerge> merges;
  for (auto& [sequence, merge] : ordered) {
    if (merges.size() < limit) {
      merges.push_back(std::move(merge));
    }
  }
  return merges;
}

}  // namespace umbranet
