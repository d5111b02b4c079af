#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/located_fact.h"
#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"
#include "umbranet/adapters/sqlite/sqlite_entity_names.h"
#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"
#include "umbranet/base/term_counter.h"
#include "umbranet/domain/entity_name.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

constexpr std::string_view kInsertStatement =
    "INSERT INTO fact_statement(user_key, statement_id, interaction_id, occurred_at, sequence,"
    " ordinal, recorded_at, subject_name, subject_root, predicate, qualifier, qualifier_name,"
    " object, object_name, object_root, object_is_entity, ends_name, negated, supersedes, retracts,"
    " reaches, text, valid_from, valid_to, confidence)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT(statement_id, user_key) DO NOTHING";
// What an owner changed in another generation.
constexpr std::string_view kInheritEdits =
    "UPDATE fact_statement SET edited_text = o.edited_text, edited_valid_to = o.edited_valid_to"
    " FROM fact_statement o WHERE fact_statement.statement_id = ?1 AND fact_statement.user_key = ?2"
    " AND o.statement_id = ?1 AND o.user_key <> ?2"
    " AND (o.edited_text IS NOT NULL OR o.edited_valid_to IS NOT NULL)";
constexpr std::string_view kSelectPage =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " AND (occurred_at, sequence, ordinal, statement_id) > (?, ?, ?, ?)"
    " ORDER BY occurred_at, sequence, ordinal, statement_id LIMIT ?";
constexpr std::string_view kSelectNewest =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " ORDER BY occurred_at DESC, sequence DESC, ordinal DESC, statement_id DESC LIMIT ?";

// As of a time in the past the index cannot tell what was known, so more is taken than is wanted.
constexpr std::size_t kAsOfFactor = 10;
constexpr std::size_t kWitnessesMax = 32;  // Of a fact that a search found.
// A user with more facts is searched in the file when he is asked about for the first time: many
// are never asked about again.
constexpr std::size_t kReadAtOnceMax = 200;

FactStatement ToStatement(const PlannedFact& fact) {
  FactStatement statement;
  statement.object_key = NormalizeName(fact.object);
  statement.ends_key = NormalizeName(fact.ends_object);
  statement.functional = IsFunctional(fact.predicate);
  statement.negated = fact.negated;
  statement.supersedes = fact.supersedes;
  statement.retracts = fact.retracts;
  return statement;
}

}  // namespace

SqliteSemanticMemory::SqliteSemanticMemory(SqliteDatabase& database, Options options)
    : database_(database),
      options_(options),
      index_("fact_index"),
      cache_(options.cached_facts_max) {}

Status SqliteSemanticMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                   Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(
            const TierApplication application,
            BeginApplication(connection, Tier::kSemantic, plans,
                             options_.fenced ? FenceOf(fence, options_.which) : std::nullopt,
                             options_.which));
        if (application.plans.empty()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(CheckNotForgotten(connection, application));
        return ApplyPlans(connection, application);
      },
      deadline);
}

Status SqliteSemanticMemory::ApplyPlans(SqliteConnection& connection,
                                        const TierApplication& application) {
  const std::int64_t user_key = application.user_key;
  const std::vector<const ReflectionPlan*>& plans = application.plans;
  SqliteEntityNames names(connection, user_key, database_.clock().Now());
  for (const ReflectionPlan* plan : plans) {
    UMBRANET_RETURN_IF_ERROR(names.TakeIn(*plan));
  }
  UMBRANET_RETURN_IF_ERROR(names.Flush());
  SqliteFactSlots slots(connection, index_, cache_, user_key, plans.front()->user);
  for (const std::string& name : names.moved()) {
    UMBRANET_RETURN_IF_ERROR(slots.MoveStatementsOf(name));
  }
  for (const std::string& root : names.renamed()) {
    UMBRANET_RETURN_IF_ERROR(slots.TouchNamesOf(root));
  }
  for (const ReflectionPlan* plan : plans) {
    UMBRANET_RETURN_IF_ERROR(AddStatements(connection, application, *plan, slots));
  }
  return slots.Settle();
}

Status SqliteSemanticMemory::AddStatements(SqliteConnection& connection,
                                           const TierApplication& application,
                                           const ReflectionPlan& plan,
                                           SqliteFactSlots& slots) const {
  const std::int64_t user_key = application.user_key;
  const Timestamp now = database_.clock().Now();
  std::int64_t ordinal = -1;
  for (const PlannedFact& fact : plan.facts) {
    ++ordinal;
    const std::string subject_name = NormalizeName(fact.subject);
    const std::string id = MakeStatementId(plan.user, plan.interaction_id, fact);
    UMBRANET_ASSIGN_OR_RETURN(const bool erased,
                              IsErased(connection, user_key, Tier::kSemantic, id));
    if (erased || subject_name.empty()) {
      continue;
    }
    const FactStatement statement = ToStatement(fact);
    const bool reaches = ReachesOtherValues(statement);
    FactSlot slot;
    UMBRANET_ASSIGN_OR_RETURN(
        slot.subject_root, slots.resolver().Resolve(subject_name, plan.occurred_at, plan.sequence));
    slot.predicate = PredicateName(fact.predicate);
    slot.qualifier_name = NormalizeName(fact.qualifier);
    std::string object_root = statement.object_key;
    if (fact.object_is_entity && !object_root.empty()) {
      UMBRANET_ASSIGN_OR_RETURN(
          object_root,
          slots.resolver().Resolve(statement.object_key, plan.occurred_at, plan.sequence));
    }
    UMBRANET_RETURN_IF_ERROR(connection.Run(
        kInsertStatement, user_key, id, plan.interaction_id, plan.occurred_at, plan.sequence,
        ordinal, now, subject_name, slot.subject_root, slot.predicate, fact.qualifier,
        slot.qualifier_name, fact.object, statement.object_key, object_root, fact.object_is_entity,
        statement.ends_key, fact.negated, fact.supersedes, fact.retracts, reaches, fact.text,
        fact.valid_from, fact.valid_to, fact.confidence));
    if (connection.Changes() > 0) {
      slots.Touch(slot, object_root, reaches);
      if (application.may_inherit) {
        UMBRANET_RETURN_IF_ERROR(connection.Run(kInheritEdits, id, user_key));
      }
    }
  }
  return {};
}

Result<MemoryPage> SqliteSemanticMemory::List(const UserKey& user, std::string_view cursor,
                                              std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("sqlite: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  MemoryPage page;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, options_.which));
  if (!user_key.has_value()) {
    return page;
  }
  const std::string_view after_id =
      std::string_view(after->memory_id)
          .substr(after->memory_id.starts_with(kFactPrefix) ? kFactPrefix.size() : 0);
  SqliteStatement rows = reader->Prepare(kSelectPage);
  rows.BindAll(*user_key, after->occurred_at, after->sequence, after->ordinal, after_id, limit + 1);
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> heads, ReadKeys(std::move(rows)));
  SqliteFactReader facts(*reader, *user_key, user);
  MemoryPlace last;
  for (const std::int64_t head : heads) {
    if (page.items.size() == limit) {
      page.next_cursor = FormatCursor(last);
      break;
    }
    UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> stored, facts.Read(head));
    if (stored.has_value()) {
      last = std::move(stored->place);
      page.items.push_back(ItemOfFact(std::move(stored->fact)));
    }
  }
  return page;
}

Result<std::optional<MemoryItem>> SqliteSemanticMemory::Get(std::string_view tenant,
                                                            std::string_view memory_id,
                                                            Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<LocatedFact> located,
                            LocateFact(*reader, tenant, memory_id, options_.which));
  if (!located.has_value()) {
    return std::optional<MemoryItem>();
  }
  return ReadFactItem(*reader, *located);
}

Result<FactsFound> SqliteSemanticMemory::Find(const FactQuery& query, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, query.user, options_.which));
  if (!user_key.has_value()) {
    FactsFound found;
    found.statistics.document_frequency.resize(query.terms.size());
    return found;
  }
  // What was so in the past depends on when that was, and is not kept.
  if (!query.as_of.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(const std::shared_ptr<const UserFacts> facts,
                              FactsInMemory(*reader, *user_key, query.user));
    if (facts != nullptr) {
      return facts->Find(query.terms, query.candidates_max);
    }
  }
  return FindInFile(*reader, *user_key, query);
}

Result<std::shared_ptr<const UserFacts>> SqliteSemanticMemory::FactsInMemory(
    SqliteConnection& connection, std::int64_t user_key, const UserKey& user) {
  const std::shared_ptr<const UserFacts> none;
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t revision,
                            ReadCorpusRevision(connection, user_key, CorpusKind::kFacts));
  std::optional<FactCache::Known> known = cache_.Find(user_key, revision);
  if (!known.has_value()) {
    return none;
  }
  if (known->facts != nullptr && known->stale.empty()) {
    return std::move(known->facts);
  }
  if (known->facts == nullptr) {
    UMBRANET_ASSIGN_OR_RETURN(const CorpusStatistics statistics,
                              ReadCorpus(connection, user_key, CorpusKind::kFacts));
    const std::size_t facts_max = known->first ? kReadAtOnceMax : options_.cached_facts_of_user_max;
    if (statistics.documents > std::min(facts_max, options_.cached_facts_of_user_max)) {
      return none;
    }
    UMBRANET_ASSIGN_OR_RETURN(known->stale, ReadFactHeads(connection, user_key));
  }
  SqliteFactReader reader(connection, user_key, user, std::nullopt, kWitnessesMax);
  std::vector<UserFacts::FactRef> read;
  for (const std::int64_t head : known->stale) {
    UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> fact, reader.Read(head));
    if (fact.has_value()) {
      read.push_back(std::make_shared<const StoredFact>(std::move(*fact)));
    }
  }
  auto facts = std::make_shared<const UserFacts>(
      known->facts == nullptr ? UserFacts(std::move(read))
                              : known->facts->With(known->stale, std::move(read)));
  cache_.Keep(user_key, revision, facts);
  return std::shared_ptr<const UserFacts>(std::move(facts));
}

Result<FactsFound> SqliteSemanticMemory::FindInFile(SqliteConnection& connection,
                                                    std::int64_t user_key,
                                                    const FactQuery& query) const {
  FactsFound found;
  UMBRANET_ASSIGN_OR_RETURN(found.statistics, ReadCorpus(connection, user_key, CorpusKind::kFacts));
  const IndexScope scope{user_key, static_cast<int>(CorpusKind::kFacts)};
  UMBRANET_ASSIGN_OR_RETURN(found.statistics.document_frequency,
                            index_.CountDocuments(connection, scope, query.terms));
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<std::int64_t> heads,
      index_.Search(connection, scope, query.terms, found.statistics.document_frequency,
                    query.candidates_max * (query.as_of.has_value() ? kAsOfFactor : 1)));
  SqliteFactReader facts(connection, user_key, query.user, query.as_of, kWitnessesMax);
  const TermCounter counter(query.terms);
  std::set<std::int64_t> seen(heads.begin(), heads.end());
  const std::size_t matches = heads.size();
  std::size_t taken = 0;
  for (std::size_t i = 0; i < heads.size(); ++i) {  // Grows by successors.
    if (i < matches && taken == query.candidates_max) {
      continue;
    }
    UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> stored, facts.Read(heads[i]));
    if (!stored.has_value() ||
        (query.as_of.has_value() && stored->fact.valid_from > *query.as_of)) {
      continue;
    }
    ++taken;
    if (stored->superseded_by.has_value() && seen.insert(*stored->superseded_by).second) {
      heads.push_back(*stored->superseded_by);
    }
    found.candidates.push_back({.fact = std::move(stored->fact),
                                .term_counts = counter.Count(stored->terms),
                                .length = stored->length});
  }
  return found;
}

Result<std::vector<Entity>> SqliteSemanticMemory::KnownEntities(const UserKey& user,
                                                                std::size_t limit,
                                                                Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, options_.which));
  if (!user_key.has_value()) {
    return std::vector<Entity>();
  }
  return ReadEntities(*reader, *user_key, user, limit);
}

Result<KnowledgeGraph> SqliteSemanticMemory::ReadGraph(const UserKey& user, std::size_t facts_max,
                                                       Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  KnowledgeGraph graph;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, options_.which));
  if (!user_key.has_value()) {
    return graph;
  }
  SqliteStatement rows = reader->Prepare(kSelectNewest);
  rows.BindAll(*user_key, facts_max);
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> heads, ReadKeys(std::move(rows)));
  SqliteFactReader facts(*reader, *user_key, user);
  std::set<std::string> named;
  for (const std::int64_t head : heads) {
    UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> stored, facts.Read(head));
    if (stored.has_value()) {
      named.insert(stored->fact.subject_id);
      named.insert(stored->fact.object_id.value_or(stored->fact.subject_id));
      graph.facts.push_back(std::move(stored->fact));
    }
  }
  // All of them, since the entities of old facts may have been mentioned long ago.
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Entity> entities,
                            ReadEntities(*reader, *user_key, user, std::size_t{1} << 31U));
  for (Entity& entity : entities) {
    if (named.contains(entity.entity_id)) {
      graph.entities.push_back(std::move(entity));
    }
  }
  return graph;
}

Result<std::vector<EntityMerge>> SqliteSemanticMemory::Merges(const UserKey& user,
                                                              std::size_t limit,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, options_.which));
  if (!user_key.has_value()) {
    return std::vector<EntityMerge>();
  }
  return ReadMerges(*reader, *user_key, limit);
}

}  // namespace umbranet
