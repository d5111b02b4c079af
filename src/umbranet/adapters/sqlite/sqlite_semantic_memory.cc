#include "umbranet/adapters/sqlite/sqlite_semantic_memory.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_accounts.h"
#include "umbranet/adapters/sqlite/sqlite_entity_merges.h"
#include "umbranet/adapters/sqlite/sqlite_entity_names.h"
#include "umbranet/adapters/sqlite/sqlite_fact_reader.h"
#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
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
    " ON CONFLICT(statement_id) DO NOTHING";
constexpr std::string_view kSelectByStatement =
    "SELECT s.head, a.user_key, a.user_id FROM fact_statement s"
    " JOIN account a ON a.user_key = s.user_key"
    " WHERE s.statement_id = ? AND a.tenant = ? AND s.head IS NOT NULL";
constexpr std::string_view kSelectPage =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " AND (occurred_at, sequence, ordinal, statement_id) > (?, ?, ?, ?)"
    " ORDER BY occurred_at, sequence, ordinal, statement_id LIMIT ?";
constexpr std::string_view kSelectNewest =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " ORDER BY occurred_at DESC, sequence DESC, ordinal DESC, statement_id DESC LIMIT ?";
constexpr std::string_view kSetEdits =
    "UPDATE fact_statement SET edited_text = coalesce(?, edited_text),"
    " edited_valid_to = coalesce(?, edited_valid_to) WHERE statement_key = ?";
constexpr std::string_view kSelectStatements =
    "SELECT statement_id, interaction_id, subject_root, predicate, qualifier_name, object_root,"
    " reaches FROM fact_statement WHERE head = ? ORDER BY statement_key";
constexpr std::string_view kDeleteStatements = "DELETE FROM fact_statement WHERE head = ?";
constexpr std::string_view kSelectHeads =
    "SELECT statement_key FROM fact_statement WHERE user_key = ? AND head = statement_key"
    " ORDER BY statement_key";
constexpr std::string_view kDeleteUser = "DELETE FROM fact_statement WHERE user_key = ?";

// As of a time in the past the index cannot tell what was known, so more is taken than is wanted.
constexpr std::size_t kAsOfFactor = 10;
constexpr std::size_t kWitnessesMax = 32;  // Of a fact that a search found.
// A user with more facts is searched in the file when he is asked about for the first time: many
// are never asked about again.
constexpr std::size_t kReadAtOnceMax = 200;

struct Located {
  std::int64_t head = 0;
  std::int64_t user_key = 0;
  UserKey user;
};

Result<std::optional<Located>> Locate(SqliteConnection& connection, std::string_view tenant,
                                      std::string_view memory_id) {
  std::optional<Located> located;
  if (!memory_id.starts_with(kFactPrefix)) {
    return located;
  }
  SqliteStatement row = connection.Prepare(kSelectByStatement);
  row.BindAll(memory_id.substr(kFactPrefix.size()), tenant);
  if (row.Step()) {
    located = {row.Int(0), row.Int(1), {std::string(tenant), row.String(2)}};
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return located;
}

MemoryItem ToItem(Fact fact) {
  MemoryItem item;
  item.memory_id = std::move(fact.memory_id);
  item.user = std::move(fact.user);
  item.tier = Tier::kSemantic;
  item.text = std::move(fact.text);
  item.occurred_at = fact.occurred_at;
  item.valid_from = fact.valid_from;
  item.valid_to = fact.valid_to;
  item.superseded_by = std::move(fact.superseded_by);
  item.sources = std::move(fact.sources);
  return item;
}

Result<std::optional<MemoryItem>> ReadItem(SqliteConnection& connection, const Located& located) {
  SqliteFactReader facts(connection, located.user_key, located.user);
  UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredFact> stored, facts.Read(located.head));
  return stored.has_value() ? std::optional(ToItem(std::move(stored->fact))) : std::nullopt;
}

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

Result<std::vector<std::int64_t>> ReadKeys(SqliteStatement rows) {
  std::vector<std::int64_t> keys;
  while (rows.Step()) {
    keys.push_back(rows.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return keys;
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
                             options_.fenced ? std::optional(fence) : std::nullopt));
        if (application.plans.empty()) {
          return {};
        }
        return ApplyPlans(connection, application.user_key, application.plans);
      },
      deadline);
}

Status SqliteSemanticMemory::ApplyPlans(SqliteConnection& connection, std::int64_t user_key,
                                        const std::vector<const ReflectionPlan*>& plans) {
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
    UMBRANET_RETURN_IF_ERROR(AddStatements(connection, user_key, *plan, slots));
  }
  return slots.Settle();
}

Status SqliteSemanticMemory::AddStatements(SqliteConnection& connection, std::int64_t user_key,
                                           const ReflectionPlan& plan,
                                           SqliteFactSlots& slots) const {
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
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
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
      page.items.push_back(ToItem(std::move(stored->fact)));
    }
  }
  return page;
}

Result<std::optional<MemoryItem>> SqliteSemanticMemory::Get(std::string_view tenant,
                                                            std::string_view memory_id,
                                                            Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                            Locate(*reader, tenant, memory_id));
  if (!located.has_value()) {
    return std::optional<MemoryItem>();
  }
  return ReadItem(*reader, *located);
}

Result<std::optional<MemoryItem>> SqliteSemanticMemory::Update(std::string_view tenant,
                                                               std::string_view memory_id,
                                                               const MemoryPatch& patch,
                                                               Deadline deadline) {
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("sqlite: text: must not be empty");
  }
  std::optional<MemoryItem> changed;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        changed.reset();
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                                  Locate(connection, tenant, memory_id));
        if (!located.has_value()) {
          return {};
        }
        UMBRANET_RETURN_IF_ERROR(
            connection.Run(kSetEdits, patch.text, patch.valid_to, located->head));
        SqliteFactSlots slots(connection, index_, cache_, located->user_key, located->user);
        {
          SqliteStatement row = connection.Prepare(kSelectStatements);
          row.BindAll(located->head);
          if (row.Step()) {
            slots.Touch({row.String(2), row.String(3), row.String(4)}, row.String(5),
                        row.Int(6) != 0);
          }
          UMBRANET_RETURN_IF_ERROR(row.status());
        }
        slots.TouchText(located->head);
        UMBRANET_RETURN_IF_ERROR(slots.Settle());
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> now,
                                  Locate(connection, tenant, memory_id));
        UMBRANET_ASSIGN_OR_RETURN(changed, ReadItem(connection, now.value_or(*located)));
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return changed;
}

Result<bool> SqliteSemanticMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                         Deadline deadline) {
  bool erased = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        erased = false;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<Located> located,
                                  Locate(connection, tenant, memory_id));
        if (!located.has_value()) {
          return {};
        }
        SqliteFactSlots slots(connection, index_, cache_, located->user_key, located->user);
        {
          SqliteStatement row = connection.Prepare(kSelectStatements);
          row.BindAll(located->head);
          while (row.Step()) {
            slots.Touch({row.String(2), row.String(3), row.String(4)}, row.String(5),
                        row.Int(6) != 0);
            UMBRANET_RETURN_IF_ERROR(RememberErasure(connection, located->user_key, Tier::kSemantic,
                                                     row.Text(0), row.Text(1)));
          }
          UMBRANET_RETURN_IF_ERROR(row.status());
        }
        UMBRANET_RETURN_IF_ERROR(slots.Unindex(located->head));
        UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteStatements, located->head));
        erased = true;
        return slots.Settle();
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return erased;
}

Result<std::uint64_t> SqliteSemanticMemory::EraseFacts(SqliteConnection& connection,
                                                       std::int64_t user_key, const UserKey& user) {
  UMBRANET_RETURN_IF_ERROR(CloseBook(connection, user_key, Tier::kSemantic, options_.fenced));
  SqliteStatement rows = connection.Prepare(kSelectHeads);
  rows.BindAll(user_key);
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> heads, ReadKeys(std::move(rows)));
  SqliteFactSlots slots(connection, index_, cache_, user_key, user);
  for (const std::int64_t head : heads) {
    UMBRANET_RETURN_IF_ERROR(slots.Unindex(head));
  }
  UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteUser, user_key));
  UMBRANET_RETURN_IF_ERROR(EraseEntityNames(connection, user_key));
  UMBRANET_RETURN_IF_ERROR(MarkCorpusRevised(connection, user_key, CorpusKind::kFacts));
  cache_.Drop(user_key);
  return heads.size();
}

Result<std::uint64_t> SqliteSemanticMemory::EraseUser(const UserKey& user, Deadline deadline) {
  std::uint64_t removed = 0;
  bool known = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        removed = 0;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                                  FindAccount(connection, user));
        known = user_key.has_value();
        if (known) {
          UMBRANET_ASSIGN_OR_RETURN(removed, EraseFacts(connection, *user_key, user));
        }
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  if (known) {
    UMBRANET_RETURN_IF_ERROR(PurgeTextIndex(database_, index_, deadline));
  }
  return removed;
}

Result<FactsFound> SqliteSemanticMemory::Find(const FactQuery& query, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindAccount(*reader, query.user));
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
    SqliteStatement rows = connection.Prepare(kSelectHeads);
    rows.BindAll(user_key);
    UMBRANET_ASSIGN_OR_RETURN(known->stale, ReadKeys(std::move(rows)));
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
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
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
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
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
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key, FindAccount(*reader, user));
  if (!user_key.has_value()) {
    return std::vector<EntityMerge>();
  }
  return ReadMerges(*reader, *user_key, limit);
}

Result<std::size_t> SqliteSemanticMemory::Unmerge(const UserKey& user, std::string_view name,
                                                  std::string_view from, Deadline deadline) {
  const std::string parting = NormalizeName(name);
  const std::string other = NormalizeName(from);
  if (parting.empty() || (other.empty() && !from.empty())) {
    return InvalidArgument("sqlite: name: must not be empty");
  }
  std::size_t undone = 0;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        undone = 0;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                                  FindAccount(connection, user));
        if (!user_key.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(
            const PartedNames parted,
            PartNames(connection, *user_key, parting, other, database_.clock().Now()));
        undone = parted.merges;
        SqliteFactSlots slots(connection, index_, cache_, *user_key, user);
        for (const std::string& moved : parted.moved) {
          UMBRANET_RETURN_IF_ERROR(slots.MoveStatementsOf(moved));
        }
        for (const std::string& root : parted.renamed) {
          UMBRANET_RETURN_IF_ERROR(slots.TouchNamesOf(root));
        }
        return slots.Settle();
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return undone;
}

}  // namespace umbranet
