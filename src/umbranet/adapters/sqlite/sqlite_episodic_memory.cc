#include "umbranet/adapters/sqlite/sqlite_episodic_memory.h"

#include <array>
#include <charconv>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "umbranet/adapters/sqlite/sqlite_episode_row.h"
#include "umbranet/adapters/sqlite/sqlite_episode_search.h"
#include "umbranet/adapters/sqlite/sqlite_vectors.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/episode_document.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

constexpr std::string_view kCountVectors = "SELECT count(*) FROM episode_vector WHERE user_key = ?";
constexpr std::string_view kSelectSession =
    "SELECT session_key FROM episode_session WHERE user_key = ? AND session_id = ?";
constexpr std::string_view kInsertSession =
    "INSERT INTO episode_session(user_key, session_id) VALUES(?, ?)";
constexpr std::string_view kInsertEpisode =
    "INSERT INTO episode(user_key, session_key, sequence, ordinal, occurred_at, role, length,"
    " importance, memory_id, interaction_id, speaker, event_times, text, terms, edited)"
    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(memory_id, user_key)"
    " DO NOTHING";
constexpr std::string_view kSelectPage =
    "SELECT memory_id, interaction_id, role, occurred_at, text, sequence, ordinal FROM episode"
    " WHERE user_key = ? AND (occurred_at, sequence, ordinal, memory_id) > (?, ?, ?, ?)"
    " ORDER BY occurred_at, sequence, ordinal, memory_id LIMIT ?";
constexpr std::string_view kSelectItem =
    "SELECT e.memory_id, e.interaction_id, e.role, e.occurred_at, e.text, e.episode_key,"
    " e.user_key, a.user_id"
    " FROM episode e" UMBRANET_JOIN_OWNER(
        "e") " WHERE e.memory_id = ? AND a.tenant = ? AND " UMBRANET_STATE_OF_MEMORY " = ?";
constexpr std::string_view kSelectInAllMemories =
    "SELECT episode_key FROM episode WHERE memory_id = ? ORDER BY episode_key";
// What an owner changed in another generation.
constexpr std::string_view kSelectEdited =
    "SELECT text FROM episode WHERE memory_id = ? AND edited = 1 LIMIT 1";
// What another generation knows of the same words.
constexpr std::string_view kInheritVector =
    "INSERT INTO episode_vector(user_key, episode_key, role, space_key, vector)"
    " SELECT n.user_key, n.episode_key, v.role, v.space_key, v.vector FROM episode n"
    " JOIN episode o ON o.memory_id = n.memory_id AND o.user_key <> n.user_key"
    " AND o.text = n.text AND o.speaker = n.speaker"
    " JOIN episode_vector v ON v.episode_key = o.episode_key"
    " WHERE n.episode_key = ? ORDER BY v.vector_key DESC LIMIT 1";
constexpr std::string_view kSelectDocument =
    "SELECT user_key, role, length, terms, speaker, occurred_at FROM episode WHERE episode_key = ?";
constexpr std::string_view kUpdateText =
    "UPDATE episode SET text = ?, terms = ?, length = ?, edited = 1 WHERE episode_key = ?";
constexpr std::string_view kDeleteEpisode = "DELETE FROM episode WHERE episode_key = ?";
constexpr std::string_view kSelectSessions =
    "SELECT session_key, session_id FROM episode_session WHERE user_key = ?";
constexpr std::string_view kSelectExtent =
    "SELECT coalesce(sum(documents), 0), coalesce(sum(revision), 0) FROM corpus"
    " WHERE user_key = ? AND kind <= ?";
constexpr std::string_view kSelectLastKey =
    "SELECT coalesce(max(episode_key), 0) FROM episode WHERE user_key = ?";
constexpr std::string_view kSelectSlice =
    "SELECT episode_key FROM episode WHERE user_key = ? AND episode_key <= ?"
    " ORDER BY occurred_at, sequence, ordinal LIMIT ?";
constexpr std::string_view kDeleteSessions =
    "DELETE FROM episode_session WHERE user_key = ?1 AND session_key NOT IN"
    " (SELECT session_key FROM episode WHERE user_key = ?1)";

constexpr std::int64_t kRoleStride = 1000;
constexpr std::size_t kSliceEpisodes = 200;

IndexScope ScopeOf(std::int64_t user_key, Role role) {
  return {user_key, static_cast<int>(role == Role::kUser ? CorpusKind::kUserHalves
                                                         : CorpusKind::kAssistantHalves)};
}

CorpusKind CorpusOf(Role role) {
  return role == Role::kUser ? CorpusKind::kUserHalves : CorpusKind::kAssistantHalves;
}

// How much the user has, as a snapshot says: over users' and assistants' halves together.
struct Extent {
  std::uint64_t documents = 0;
  std::int64_t revision = 0;
};

Result<Extent> ReadExtent(SqliteConnection& connection, std::int64_t user_key) {
  SqliteStatement rows = connection.Prepare(kSelectExtent);
  rows.BindAll(user_key, CorpusKind::kAssistantHalves);
  Extent extent;
  if (rows.Step()) {
    extent.documents = static_cast<std::uint64_t>(rows.Int(0));
    extent.revision = rows.Int(1);
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return extent;
}

// What a snapshot of the file holds of a user. Marks are keys of episodes and of vectors.
class SqliteEpisodeSource final : public EpisodeSource {
 public:
  SqliteEpisodeSource(SqliteConnection& connection, std::int64_t user_key, const UserKey& user,
                      const Extent& extent)
      : connection_(connection), user_key_(user_key), user_(user), extent_(extent) {}

  Status CatchUp(UserEpisodes& episodes, EpisodeMark& mark) override {
    if (mark.epoch > extent_.revision) {
      return {};
    }
    if (mark.epoch < extent_.revision) {
      episodes = UserEpisodes();
      mark = {.epoch = extent_.revision};
    }
    if (episodes.size() < extent_.documents) {
      UMBRANET_RETURN_IF_ERROR(ReadEpisodes(episodes, mark));
    }
    return ReadVectors(connection_, user_key_, mark.vectors, [&](const StoredVector& stored) {
      episodes.SetVector(stored.vector);
      mark.vectors = stored.vector_key;
    });
  }

 private:
  Status ReadEpisodes(UserEpisodes& episodes, EpisodeMark& mark) {
    std::unordered_map<std::int64_t, std::string> sessions;
    SqliteStatement names = connection_.Prepare(kSelectSessions);
    names.BindAll(user_key_);
    while (names.Step()) {
      sessions.emplace(names.Int(0), names.String(1));
    }
    UMBRANET_RETURN_IF_ERROR(names.status());
    SqliteStatement rows = connection_.Prepare(kSelectUserEpisodes);
    rows.BindAll(user_key_, mark.episodes);
    while (rows.Step()) {
      const EpisodeRow row(rows);
      episodes.Add({.episode_key = row.key(),
                    .episode = row.Read(user_, sessions[row.session_key()]),
                    .length = row.length(),
                    .terms = row.terms()});
      mark.episodes = row.key();
    }
    return rows.status();
  }

  SqliteConnection& connection_;
  const std::int64_t user_key_;
  const UserKey& user_;
  const Extent extent_;
};

// Columns as in kSelectPage and kSelectItem.
MemoryItem ReadItem(const SqliteStatement& row, UserKey user) {
  MemoryItem item;
  item.memory_id = row.String(0);
  item.user = std::move(user);
  item.tier = Tier::kEpisodic;
  item.text = row.String(4);
  item.occurred_at = row.Time(3);
  item.sources = {{row.String(1), static_cast<Role>(row.Int(2))}};
  return item;
}

struct StoredItem {
  MemoryItem item;
  std::int64_t episode_key = 0;
  std::int64_t user_key = 0;
};

Result<std::optional<StoredItem>> FindItem(SqliteConnection& connection, std::string_view tenant,
                                           std::string_view memory_id, GenerationState which) {
  SqliteStatement row = connection.Prepare(kSelectItem);
  row.BindAll(memory_id, tenant, which);
  std::optional<StoredItem> found;
  if (row.Step()) {
    found = {ReadItem(row, {std::string(tenant), row.String(7)}), row.Int(5), row.Int(6)};
  }
  UMBRANET_RETURN_IF_ERROR(row.status());
  return found;
}

// Those of the same episode in every generation of its owner's memory.
Result<std::vector<std::int64_t>> KeysInAllMemories(SqliteConnection& connection,
                                                    std::string_view memory_id) {
  std::vector<std::int64_t> keys;
  SqliteStatement rows = connection.Prepare(kSelectInAllMemories);
  rows.BindAll(memory_id);
  while (rows.Step()) {
    keys.push_back(rows.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return keys;
}

Result<std::int64_t> InternSession(SqliteConnection& connection, std::int64_t user_key,
                                   std::string_view session_id) {
  SqliteStatement known = connection.Prepare(kSelectSession);
  known.BindAll(user_key, session_id);
  if (known.Step()) {
    return known.Int(0);
  }
  UMBRANET_RETURN_IF_ERROR(known.status());
  UMBRANET_RETURN_IF_ERROR(connection.Run(kInsertSession, user_key, session_id));
  return connection.LastInsertRowid();
}

}  // namespace

SqliteEpisodicMemory::SqliteEpisodicMemory(SqliteDatabase& database)
    : SqliteEpisodicMemory(database, Options()) {}

SqliteEpisodicMemory::SqliteEpisodicMemory(SqliteDatabase& database, Options options)
    : database_(database),
      options_(options),
      index_("episode_index"),
      cache_(options.cache_bytes_max) {}

Status SqliteEpisodicMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                   Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const TierApplication application,
                                  BeginApplication(connection, Tier::kEpisodic, plans,
                                                   FenceOf(fence, options_.which), options_.which));
        for (const ReflectionPlan* plan : application.plans) {
          UMBRANET_RETURN_IF_ERROR(ApplyPlan(connection, application, *plan));
        }
        return {};
      },
      deadline);
}

Status SqliteEpisodicMemory::ApplyPlan(SqliteConnection& connection,
                                       const TierApplication& application,
                                       const ReflectionPlan& plan) const {
  if (plan.episodes.empty()) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::int64_t session_key,
                            InternSession(connection, application.user_key, plan.session_id));
  std::array<std::uint32_t, 2> ordinals{};
  for (const PlannedEpisode& planned : plan.episodes) {
    const std::uint32_t ordinal = ordinals.at(static_cast<std::size_t>(planned.role))++;
    UMBRANET_RETURN_IF_ERROR(
        AddEpisode(connection, application, session_key, plan, planned, ordinal));
  }
  return {};
}

Status SqliteEpisodicMemory::AddEpisode(SqliteConnection& connection,
                                        const TierApplication& application,
                                        std::int64_t session_key, const ReflectionPlan& plan,
                                        const PlannedEpisode& planned,
                                        std::uint32_t ordinal) const {
  const std::int64_t user_key = application.user_key;
  const std::string id = MakeEpisodeId(plan.user, plan.interaction_id, planned.role, ordinal);
  UMBRANET_ASSIGN_OR_RETURN(const bool erased, IsErased(connection, user_key, Tier::kEpisodic, id));
  if (erased) {
    return {};
  }
  std::string text = planned.text;
  bool edited = false;
  if (application.may_inherit) {
    SqliteStatement changed = connection.Prepare(kSelectEdited);
    changed.BindAll(id);
    edited = changed.Step();
    text = edited ? changed.String(0) : text;
    UMBRANET_RETURN_IF_ERROR(changed.status());
  }
  const std::vector<std::string> terms = EpisodeTerms(text, planned.speaker, plan.occurred_at);
  const std::string joined = JoinTerms(terms);
  UMBRANET_RETURN_IF_ERROR(connection.Run(
      kInsertEpisode, user_key, session_key, plan.sequence,
      static_cast<std::int64_t>(planned.role) * kRoleStride + ordinal, plan.occurred_at,
      planned.role, terms.size(), planned.importance, id, plan.interaction_id, planned.speaker,
      FormatEventTimes(planned.event_times), text, joined, edited));
  if (connection.Changes() == 0) {
    return {};  // An earlier generation of the job left it.
  }
  const std::int64_t episode_key = connection.LastInsertRowid();
  UMBRANET_RETURN_IF_ERROR(
      index_.Add(connection, episode_key, ScopeOf(user_key, planned.role), joined));
  if (application.may_inherit) {
    UMBRANET_RETURN_IF_ERROR(connection.Run(kInheritVector, episode_key));
  }
  return GrowCorpus(connection, user_key, CorpusOf(planned.role), 1,
                    static_cast<std::int64_t>(terms.size()));
}

Result<MemoryPage> SqliteEpisodicMemory::List(const UserKey& user, std::string_view cursor,
                                              std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("sqlite: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  MemoryPage page;
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                            FindMemory(*reader, user, options_.which));
  if (!user_key.has_value()) {
    return page;
  }
  SqliteStatement rows = reader->Prepare(kSelectPage);
  rows.BindAll(*user_key, after->occurred_at, after->sequence, after->ordinal, after->memory_id,
               limit + 1);
  MemoryPlace last;
  while (rows.Step()) {
    if (page.items.size() == limit) {
      page.next_cursor = FormatCursor(last);
      break;
    }
    page.items.push_back(ReadItem(rows, user));
    last = {rows.Time(3), rows.Int(5), rows.Int(6), rows.String(0)};
  }
  UMBRANET_RETURN_IF_ERROR(rows.status());
  return page;
}

Result<std::optional<MemoryItem>> SqliteEpisodicMemory::Get(std::string_view tenant,
                                                            std::string_view memory_id,
                                                            Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredItem> found,
                            FindItem(*reader, tenant, memory_id, options_.which));
  return found.has_value() ? std::optional(std::move(found->item)) : std::nullopt;
}

Status SqliteEpisodicMemory::Unindex(SqliteConnection& connection, std::int64_t episode_key) const {
  SqliteStatement document = connection.Prepare(kSelectDocument);
  document.BindAll(episode_key);
  if (!document.Step()) {
    return document.status();
  }
  const auto role = static_cast<Role>(document.Int(1));
  UMBRANET_RETURN_IF_ERROR(
      index_.Remove(connection, episode_key, ScopeOf(document.Int(0), role), document.Text(3)));
  UMBRANET_RETURN_IF_ERROR(RemoveEpisodeVector(connection, episode_key));
  UMBRANET_RETURN_IF_ERROR(MarkCorpusRevised(connection, document.Int(0), CorpusOf(role)));
  return GrowCorpus(connection, document.Int(0), CorpusOf(role), -1, -document.Int(2));
}

Status SqliteEpisodicMemory::SetText(SqliteConnection& connection, std::int64_t episode_key,
                                     std::string_view text) const {
  UMBRANET_RETURN_IF_ERROR(Unindex(connection, episode_key));
  std::int64_t user_key = 0;
  Role role = Role::kUser;
  std::vector<std::string> terms;
  {
    SqliteStatement document = connection.Prepare(kSelectDocument);
    document.BindAll(episode_key);
    if (!document.Step()) {
      return document.status();
    }
    user_key = document.Int(0);
    role = static_cast<Role>(document.Int(1));
    terms = EpisodeTerms(text, document.Text(4), document.Time(5));
  }
  const std::string joined = JoinTerms(terms);
  UMBRANET_RETURN_IF_ERROR(connection.Run(kUpdateText, text, joined, terms.size(), episode_key));
  UMBRANET_RETURN_IF_ERROR(index_.Add(connection, episode_key, ScopeOf(user_key, role), joined));
  return GrowCorpus(connection, user_key, CorpusOf(role), 1,
                    static_cast<std::int64_t>(terms.size()));
}

Result<std::optional<MemoryItem>> SqliteEpisodicMemory::Update(std::string_view tenant,
                                                               std::string_view memory_id,
                                                               const MemoryPatch& patch,
                                                               Deadline deadline) {
  if (patch.valid_to.has_value()) {
    return InvalidArgument("sqlite: valid_to: an episode happened once and does not end");
  }
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("sqlite: text: must not be empty");
  }
  std::optional<MemoryItem> changed;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        changed.reset();
        UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredItem> found,
                                  FindItem(connection, tenant, memory_id, options_.which));
        if (!found.has_value()) {
          return {};
        }
        if (patch.text.has_value()) {
          UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> keys,
                                    KeysInAllMemories(connection, memory_id));
          for (const std::int64_t key : keys) {
            UMBRANET_RETURN_IF_ERROR(SetText(connection, key, *patch.text));
          }
          found->item.text = *patch.text;
        }
        changed = std::move(found->item);
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return changed;
}

Result<bool> SqliteEpisodicMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                         Deadline deadline) {
  bool erased = false;
  const Status written = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) -> Status {
        erased = false;
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<StoredItem> found,
                                  FindItem(connection, tenant, memory_id, options_.which));
        if (!found.has_value()) {
          return {};
        }
        UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> keys,
                                  KeysInAllMemories(connection, memory_id));
        for (const std::int64_t key : keys) {
          UMBRANET_RETURN_IF_ERROR(Unindex(connection, key));
          UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteEpisode, key));
        }
        UMBRANET_RETURN_IF_ERROR(RememberErasure(connection, found->user_key, Tier::kEpisodic,
                                                 found->item.memory_id,
                                                 found->item.sources.front().interaction_id));
        erased = true;
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(written);
  return erased;
}

Result<std::uint64_t> SqliteEpisodicMemory::EraseSlice(SqliteConnection& connection,
                                                       std::int64_t user_key,
                                                       std::int64_t last_key) const {
  std::vector<std::int64_t> keys;
  SqliteStatement slice = connection.Prepare(kSelectSlice);
  slice.BindAll(user_key, last_key, kSliceEpisodes);
  while (slice.Step()) {
    keys.push_back(slice.Int(0));
  }
  UMBRANET_RETURN_IF_ERROR(slice.status());
  for (const std::int64_t key : keys) {
    UMBRANET_RETURN_IF_ERROR(Unindex(connection, key));
    UMBRANET_RETURN_IF_ERROR(connection.Run(kDeleteEpisode, key));
  }
  return keys.size();
}

Result<std::uint64_t> SqliteEpisodicMemory::EraseUser(const UserKey& user, Deadline deadline) {
  std::vector<std::int64_t> memories;
  std::optional<std::int64_t> in_force;
  const Status begun = database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        UMBRANET_RETURN_IF_ERROR(EndOtherMemories(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(memories, MemoriesOf(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        return {};
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(begun);
  std::uint64_t removed = 0;
  for (const std::int64_t memory : memories) {
    UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t episodes, EraseMemory(memory, deadline));
    removed += memory == in_force ? episodes : 0;
  }
  return removed;
}

Result<std::uint64_t> SqliteEpisodicMemory::EraseMemory(std::int64_t memory_key,
                                                        Deadline deadline) {
  std::int64_t last_key = 0;
  const Status begun = database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) -> Status {
        SqliteStatement last = connection.Prepare(kSelectLastKey);
        last.BindAll(memory_key);
        last_key = last.Step() ? last.Int(0) : 0;
        UMBRANET_RETURN_IF_ERROR(last.status());
        return CloseBook(connection, memory_key, Tier::kEpisodic);
      },
      deadline);
  UMBRANET_RETURN_IF_ERROR(begun);
  std::uint64_t removed = 0;
  for (std::uint64_t slice = kSliceEpisodes; slice == kSliceEpisodes;) {
    const Status sliced = database_.Write(
        SqliteDatabase::Lane::kBackground,
        [&](SqliteConnection& connection) -> Status {
          UMBRANET_ASSIGN_OR_RETURN(slice, EraseSlice(connection, memory_key, last_key));
          return {};
        },
        deadline);
    UMBRANET_RETURN_IF_ERROR(sliced);
    removed += slice;
  }
  UMBRANET_RETURN_IF_ERROR(PurgeTextIndex(database_, index_, deadline));
  // In the foreground, since that makes everything before it durable too.
  const Status ended = database_.Write(
      SqliteDatabase::Lane::kForeground,
      [&](SqliteConnection& connection) { return connection.Run(kDeleteSessions, memory_key); },
      deadline);
  cache_.Drop(memory_key);
  UMBRANET_RETURN_IF_ERROR(ended);
  return removed;
}

Result<EpisodesFound> SqliteEpisodicMemory::Find(const EpisodeQuery& query, Deadline deadline) {
  std::optional<EpisodeCache::Begun> begun;
  std::optional<std::int64_t> space_key;
  {
    // Given back before an embedding is waited for.
    UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
    UMBRANET_RETURN_IF_ERROR(reader.BeginSnapshot());
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> user_key,
                              FindMemory(*reader, query.user, options_.which));
    if (!user_key.has_value()) {
      EpisodesFound nothing;
      nothing.statistics.document_frequency.resize(query.terms.size());
      nothing.assistant_statistics.document_frequency.resize(query.terms.size());
      return nothing;
    }
    UMBRANET_ASSIGN_OR_RETURN(const Extent extent, ReadExtent(*reader, *user_key));
    const bool in_file = extent.documents > options_.cached_documents_max;
    if (in_file && !query.embedding_to_come) {
      return SearchEpisodes(*reader, index_, *user_key, query);
    }
    if (query.embedding.has_value() || query.embedding_to_come) {
      UMBRANET_ASSIGN_OR_RETURN(space_key, FindEmbeddingSpace(*reader, query.embedding_space));
    }
    SqliteEpisodeSource source(*reader, *user_key, query.user, extent);
    if (!query.embedding_to_come) {
      return cache_.Search(*user_key, query, space_key, source, deadline);
    }
    if (!in_file) {
      UMBRANET_ASSIGN_OR_RETURN(begun, cache_.Begin(*user_key, query, source, deadline));
    }
  }
  const EpisodeQuery whole = WithEmbedding(query);
  if (begun.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(
        std::optional<EpisodesFound> found,
        cache_.Finish(*std::move(begun), whole.embedding, space_key, deadline));
    if (found.has_value()) {
      return *std::move(found);
    }
  }
  return Find(whole, deadline);
}

Result<UnembeddedPage> SqliteEpisodicMemory::Unembedded(std::string_view space,
                                                        std::string_view cursor, std::size_t limit,
                                                        Deadline deadline) {
  std::int64_t after = 0;
  const auto read = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
  if (!cursor.empty() && (read.ec != std::errc() || read.ptr != cursor.data() + cursor.size())) {
    return InvalidArgument("sqlite: unknown cursor");
  }
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  return ReadUnembedded(*reader, space, after, limit);
}

Status SqliteEpisodicMemory::SaveVectors(std::string_view space,
                                         std::span<const EpisodeVector> vectors,
                                         Deadline deadline) {
  return database_.Write(
      SqliteDatabase::Lane::kBackground,
      [&](SqliteConnection& connection) { return SaveEpisodeVectors(connection, space, vectors); },
      deadline);
}

Result<std::uint64_t> SqliteEpisodicMemory::CountVectors(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(SqliteReader reader, database_.Read(deadline));
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> memory,
                            FindMemory(*reader, user, GenerationState::kInForce));
  if (!memory.has_value()) {
    return std::uint64_t{0};
  }
  SqliteStatement row = reader->Prepare(kCountVectors);
  row.BindAll(*memory);
  const std::uint64_t count = row.Step() ? static_cast<std::uint64_t>(row.Int(0)) : 0;
  UMBRANET_RETURN_IF_ERROR(row.status());
  return count;
}

}  // namespace umbranet
