#include "umbranet/domain/user_knowledge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

std::string FactId(const SaidFact& said) {
  return std::string(kFactPrefix) + said.statement_id;
}

bool IsAlike(const KnownFact& a, const KnownFact& b) {
  const Fact& x = a.fact;
  const Fact& y = b.fact;
  return x.subject_id == y.subject_id && x.subject == y.subject && x.object_id == y.object_id &&
         x.text == y.text && x.valid_from == y.valid_from && x.valid_to == y.valid_to &&
         x.superseded_by == y.superseded_by && x.confidence == y.confidence &&
         x.sources == y.sources && a.terms == b.terms;
}

}  // namespace

MemoryItem ItemOfFact(const Fact& fact) {
  MemoryItem item;
  item.memory_id = fact.memory_id;
  item.user = fact.user;
  item.tier = Tier::kSemantic;
  item.text = fact.text;
  item.occurred_at = fact.occurred_at;
  item.valid_from = fact.valid_from;
  item.valid_to = fact.valid_to;
  item.superseded_by = fact.superseded_by;
  item.sources = fact.sources;
  return item;
}

void UserKnowledge::Add(SaidFact said, StatementEdits edits) {
  if (erased_.contains(said.statement_id) || by_id_.contains(said.statement_id)) {
    return;
  }
  const PlannedFact& fact = said.fact;
  auto normal = std::make_shared<const NormalNames>(
      NormalNames{NormalizeName(fact.subject), NormalizeName(fact.object),
                  NormalizeName(fact.qualifier), NormalizeName(fact.ends_object)});
  if (normal->subject.empty()) {
    return;
  }
  const std::size_t index = statements_.size();
  by_id_.emplace(said.statement_id, index);
  Statement statement;
  statement.edits = std::move(edits);
  statement.object_root = normal->object;
  statement.normal = std::move(normal);
  statement.said = std::make_shared<const SaidFact>(std::move(said));
  statements_.push_back(std::move(statement));
  unplaced_.push_back(index);
}

void UserKnowledge::Remove(std::size_t index) {
  Statement& statement = statements_[index];
  const SlotKey key = KeyOf(statement);
  const auto slot = slots_.find(key);
  if (slot != slots_.end()) {
    std::erase(slot->second, index);
    touched_.insert(key);
  }
  by_id_.erase(statement.said->statement_id);
  statement = {};
}

UserKnowledge::SlotKey UserKnowledge::KeyOf(const Statement& statement) const {
  return {statement.subject_root, statement.said->fact.predicate, statement.normal->qualifier};
}

bool UserKnowledge::Place(std::size_t index, bool fresh) {
  Statement& statement = statements_[index];
  const StatementPlace& place = statement.said->place;
  const std::string& subject_root =
      names_.Resolve(statement.normal->subject, place.occurred_at, place.sequence);
  const std::string& object_root =
      statement.ObjectIsEntity()
          ? names_.Resolve(statement.normal->object, place.occurred_at, place.sequence)
          : statement.normal->object;
  if (!fresh && subject_root == statement.subject_root && object_root == statement.object_root) {
    return false;
  }
  if (!fresh) {
    const SlotKey old = KeyOf(statement);
    std::erase(slots_[old], index);
    touched_.insert(old);
  }
  statement.subject_root = subject_root;
  statement.object_root = object_root;
  const SlotKey key = KeyOf(statement);
  slots_[key].push_back(index);
  touched_.insert(key);
  return true;
}

void UserKnowledge::TouchRenamed(const std::set<std::string>& roots) {
  if (roots.empty()) {
    return;
  }
  for (const Statement& statement : statements_) {
    if (statement.said != nullptr &&
        (roots.contains(statement.subject_root) ||
         (statement.ObjectIsEntity() && roots.contains(statement.object_root)))) {
      touched_.insert(KeyOf(statement));
    }
  }
}

UserKnowledge::Changes UserKnowledge::SettleChanges() {
  Changes changes;
  NameGraph::Settled settled = names_.Settle();
  if (settled.moved) {
    const std::set<std::size_t> unplaced(unplaced_.begin(), unplaced_.end());
    for (std::size_t index = 0; index < statements_.size(); ++index) {
      if (statements_[index].said != nullptr && !unplaced.contains(index) && Place(index, false)) {
        changes.statements.insert(index);
      }
    }
  }
  for (const std::size_t index : std::exchange(unplaced_, {})) {
    if (statements_[index].said != nullptr) {
      Place(index, true);
      changes.statements.insert(index);
    }
  }
  TouchRenamed(settled.changed);
  for (const SlotKey& key : std::exchange(touched_, {})) {
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) {
      continue;
    }
    if (slot->second.empty()) {
      slots_.erase(slot);
    } else {
      SettleSlot(slot->second, settled.changed, changes);
    }
  }
  ListHeads();
  changes.names = std::move(settled.names);
  changes.relinked = std::move(settled.relinked);
  changes.merges = std::move(settled.merges);
  changes.entities = std::move(settled.changed);
  return changes;
}

UserKnowledge::Folded UserKnowledge::Fold(const Slot& slot, Timestamp until) const {
  Folded folded;
  for (const std::size_t index : slot) {
    if (statements_[index].said->place.occurred_at <= until) {
      folded.said.push_back(index);
    }
  }
  std::sort(folded.said.begin(), folded.said.end(), [this](std::size_t a, std::size_t b) {
    return statements_[a].said->place < statements_[b].said->place;
  });
  std::vector<FactStatement> plain;
  plain.reserve(folded.said.size());
  for (const std::size_t index : folded.said) {
    const Statement& statement = statements_[index];
    const PlannedFact& fact = statement.said->fact;
    plain.push_back({statement.said->place, statement.object_root, statement.normal->ends,
                     IsFunctional(fact.predicate), fact.negated, fact.supersedes, fact.retracts,
                     fact.valid_from, fact.valid_to, statement.edits.valid_to});
  }
  folded.fates = FoldFactStatements(plain);
  for (std::size_t i = 0; i < folded.fates.size(); ++i) {
    StatementFate& fate = folded.fates[i];
    if (fate.head != kNoStatement) {
      fate.head = folded.said[fate.head];
      folded.witnesses[fate.head].push_back(folded.said[i]);
    }
    if (fate.superseded_by != kNoStatement) {
      fate.superseded_by = folded.said[fate.superseded_by];
    }
  }
  return folded;
}

void UserKnowledge::SettleSlot(const Slot& slot, const std::set<std::string>& renamed,
                               Changes& changes) {
  const Folded folded = Fold(slot, Timestamp::max());
  for (std::size_t i = 0; i < folded.said.size(); ++i) {
    const std::size_t index = folded.said[i];
    const StatementFate& fate = folded.fates[i];
    Statement& statement = statements_[index];
    if (fate.head != statement.head || fate.superseded_by != statement.superseded_by) {
      changes.statements.insert(index);
    }
    statement.head = fate.head;
    statement.superseded_by = fate.superseded_by;
    if (fate.head != index) {
      statement.fact.reset();
      continue;
    }
    const bool renames = renamed.contains(statement.subject_root) ||
                         (statement.ObjectIsEntity() && renamed.contains(statement.object_root));
    std::shared_ptr<const KnownFact> made =
        MakeFact(index, fate, folded.witnesses.at(index), renames ? nullptr : statement.fact.get());
    if (statement.fact == nullptr || !IsAlike(*statement.fact, *made)) {
      statement.fact = std::move(made);
      changes.statements.insert(index);
    }
  }
}

std::shared_ptr<const KnownFact> UserKnowledge::MakeFact(std::size_t head,
                                                         const StatementFate& fate,
                                                         std::span<const std::size_t> witnesses,
                                                         const KnownFact* before) const {
  const Statement& statement = statements_[head];
  const SaidFact& said = *statement.said;
  auto made = std::make_shared<KnownFact>();
  Fact& fact = made->fact;
  fact.memory_id = FactId(said);
  fact.user = user_;
  const NamedEntity* subject = names_.Find(statement.subject_root);
  fact.subject_id = subject == nullptr ? "" : subject->entity.entity_id;
  fact.subject = subject == nullptr ? statement.subject_root : subject->entity.name;
  fact.predicate = said.fact.predicate;
  fact.qualifier = said.fact.qualifier;
  fact.object = said.fact.object;
  if (statement.ObjectIsEntity()) {
    const NamedEntity* object = names_.Find(statement.object_root);
    fact.object_id = object == nullptr ? "" : object->entity.entity_id;
  }
  fact.negated = said.fact.negated;
  fact.text = said.fact.text;
  fact.occurred_at = said.place.occurred_at;
  fact.recorded_at = said.recorded_at;
  fact.valid_to = fate.valid_to;
  if (fate.superseded_by != kNoStatement) {
    fact.superseded_by = FactId(*statements_[fate.superseded_by].said);
  }
  fact.confidence = 0;
  for (const std::size_t index : witnesses) {
    const Statement& witness = statements_[index];
    fact.confidence = std::max(fact.confidence, witness.said->fact.confidence);
    fact.text = witness.edits.text.value_or(fact.text);
    fact.valid_from = fact.valid_from ? fact.valid_from : witness.said->fact.valid_from;
    const std::string& turn = witness.said->place.interaction_id;
    if (fact.sources.empty() || fact.sources.back().interaction_id != turn) {
      fact.sources.push_back({turn, Role::kUser});
    }
  }
  fact.evidence = static_cast<std::uint32_t>(fact.sources.size());
  made->place = {said.place.occurred_at, said.place.sequence, said.place.ordinal, fact.memory_id};
  if (before != nullptr && before->fact.text == fact.text &&
      before->fact.subject_id == fact.subject_id && before->fact.object_id == fact.object_id) {
    made->terms = before->terms;
    made->length = before->length;
    return made;
  }
  std::vector<std::string> called = names_.CallNames(statement.subject_root);
  if (statement.ObjectIsEntity()) {
    const std::vector<std::string> more = names_.CallNames(statement.object_root);
    called.insert(called.end(), more.begin(), more.end());
  }
  FactTerms analyzed = AnalyzeFact(fact.text, called);
  made->terms = std::move(analyzed.terms);
  made->length = analyzed.text_length;
  return made;
}

void UserKnowledge::ListHeads() {
  heads_.clear();
  for (std::size_t index = 0; index < statements_.size(); ++index) {
    if (statements_[index].fact != nullptr) {
      heads_.push_back(index);
    }
  }
  std::sort(heads_.begin(), heads_.end(), [this](std::size_t a, std::size_t b) {
    return statements_[a].fact->place < statements_[b].fact->place;
  });
}

UserKnowledge::Changes UserKnowledge::Apply(std::span<const ReflectionPlan* const> plans,
                                            Timestamp now) {
  for (const ReflectionPlan* plan : plans) {
    names_.TakeIn(*plan, now);
    std::uint32_t ordinal = 0;
    for (const PlannedFact& fact : plan->facts) {
      Add({MakeStatementId(user_, plan->interaction_id, fact),
           {plan->occurred_at, plan->sequence, plan->interaction_id, ordinal++},
           now,
           fact},
          {});
    }
  }
  return SettleChanges();
}

UserKnowledge::Changes UserKnowledge::Edit(std::size_t head, const MemoryPatch& patch) {
  Statement& statement = statements_[head];
  statement.edits.text = patch.text ? patch.text : statement.edits.text;
  statement.edits.valid_to = patch.valid_to ? patch.valid_to : statement.edits.valid_to;
  touched_.insert(KeyOf(statement));
  Changes changes = SettleChanges();
  changes.statements.insert(head);
  return changes;
}

UserKnowledge::Changes UserKnowledge::Erase(std::size_t head) {
  std::vector<SaidFact> erased;
  const Slot slot = slots_.at(KeyOf(statements_[head]));
  for (const std::size_t index : slot) {
    if (statements_[index].head == head) {
      erased.push_back(*statements_[index].said);
      erased_.emplace(erased.back().statement_id, erased.back().place.interaction_id);
      Remove(index);
    }
  }
  Changes changes = SettleChanges();
  changes.erased = std::move(erased);
  return changes;
}

UserKnowledge::Changes UserKnowledge::Part(std::string_view name, std::string_view from,
                                           Timestamp now, std::size_t& undone) {
  undone = names_.Part(name, from, now);
  return SettleChanges();
}

UserKnowledge::Changes UserKnowledge::TakeOver(const UserKnowledge& other, Prevails prevails) {
  names_.TakeOverPartings(other.names_);
  std::vector<SaidFact> erased;
  for (const auto& [statement_id, interaction_id] : other.erased_) {
    if (!erased_.emplace(statement_id, interaction_id).second) {
      continue;
    }
    SaidFact& gone = erased.emplace_back();
    gone.statement_id = statement_id;
    gone.place.interaction_id = interaction_id;
    if (const auto known = by_id_.find(statement_id); known != by_id_.end()) {
      Remove(known->second);
    }
  }
  std::set<std::size_t> edited;
  for (const Statement& theirs : other.statements_) {
    if (theirs.said == nullptr || theirs.edits == StatementEdits()) {
      continue;
    }
    const auto known = by_id_.find(theirs.said->statement_id);
    if (known == by_id_.end()) {
      continue;
    }
    Statement& mine = statements_[known->second];
    const bool is_mine = prevails == Prevails::kHere && mine.edits != StatementEdits();
    if (!is_mine && mine.edits != theirs.edits) {
      mine.edits = theirs.edits;
      touched_.insert(KeyOf(mine));
      edited.insert(known->second);
    }
  }
  Changes changes = SettleChanges();
  changes.statements.insert(edited.begin(), edited.end());
  changes.erased = std::move(erased);
  return changes;
}

bool UserKnowledge::Changes::empty() const {
  return names.empty() && relinked.empty() && merges.empty() && entities.empty() &&
         statements.empty() && erased.empty();
}

void UserKnowledge::Changes::Add(Changes later) {
  names.merge(later.names);
  relinked.merge(later.relinked);
  merges.merge(later.merges);
  entities.merge(later.entities);
  statements.merge(later.statements);
  std::move(later.erased.begin(), later.erased.end(), std::back_inserter(erased));
}

void UserKnowledge::PutStatement(SaidFact said, StatementEdits edits) {
  const auto known = by_id_.find(said.statement_id);
  if (known == by_id_.end()) {
    Add(std::move(said), std::move(edits));
    return;
  }
  Statement& statement = statements_[known->second];
  statement.edits = std::move(edits);
  touched_.insert(KeyOf(statement));
}

void UserKnowledge::PutErased(const std::string& statement_id, const std::string& interaction_id) {
  erased_.insert_or_assign(statement_id, interaction_id);
  if (const auto known = by_id_.find(statement_id); known != by_id_.end()) {
    Remove(known->second);
  }
}

void UserKnowledge::Settle() {
  SettleChanges();
}

std::optional<std::size_t> UserKnowledge::HeadOf(const std::string& statement_id) const {
  const auto known = by_id_.find(statement_id);
  if (known == by_id_.end() || statements_[known->second].head == kNoStatement) {
    return std::nullopt;
  }
  return statements_[known->second].head;
}

std::vector<std::shared_ptr<const KnownFact>> UserKnowledge::AsOf(Timestamp time) const {
  std::vector<std::shared_ptr<const KnownFact>> facts;
  for (const auto& [key, slot] : slots_) {
    const Folded folded = Fold(slot, time);
    for (std::size_t i = 0; i < folded.said.size(); ++i) {
      const std::size_t index = folded.said[i];
      if (folded.fates[i].head == index) {
        facts.push_back(MakeFact(index, folded.fates[i], folded.witnesses.at(index),
                                 statements_[index].fact.get()));
      }
    }
  }
  std::sort(facts.begin(), facts.end(),
            [](const auto& a, const auto& b) { return a->place < b->place; });
  return facts;
}

}  // namespace umbranet
