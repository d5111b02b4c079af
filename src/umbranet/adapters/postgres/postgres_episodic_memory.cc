#include "umbranet/adapters/postgres/postgres_episodic_memory.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include "umbranet/adapters/postgres/postgres_episode_search.h"
#include "umbranet/adapters/postgres/postgres_memory_keys.h"
#include "umbranet/adapters/postgres/postgres_tier_book.h"
#include "umbranet/domain/memory_place.h"

namespace umbranet {
namespace {

// A user who was never heard of has no row, one without episodes no book.
constexpr std::string_view kCountVectors = "SELECT count(v.*) FROM " UMBRANET_MEMORY_IN_FORCE
                                           " JOIN episode_vector v ON v.user_key = m.memory_key";
#define UMBRANET_SELECT_EXTENT_OF(memory)                      \
  UMBRANET_SELECT_EXTENT                                       \
  ", (SELECT space_key FROM embedding_space WHERE space = $3)" \
  " FROM " memory " JOIN episode_book b ON b.user_key = m.memory_key"
constexpr std::string_view kSelectExtent = UMBRANET_SELECT_EXTENT_OF(UMBRANET_MEMORY_IN_FORCE);
constexpr std::string_view kSelectShadowExtent =
    UMBRANET_SELECT_EXTENT_OF(UMBRANET_MEMORY_IN_SHADOW);
constexpr std::string_view kSelectExtentOfKey =
    UMBRANET_SELECT_EXTENT " FROM episode_book b WHERE b.user_key = $1";
constexpr std::string_view kSelectEpisodes =
    "SELECT " UMBRANET_EPISODE_COLUMNS
    " FROM episode e WHERE e.user_key = $1 AND e.episode_key > $2"
    " ORDER BY e.episode_key LIMIT $3";
constexpr std::string_view kSelectVectors =
    "SELECT vector_key, episode_key, space_key, packed FROM episode_vector"
    " WHERE user_key = $1 AND vector_key > $2 ORDER BY vector_key LIMIT $3";
// What is read at a time: some 2 MB.
constexpr std::int64_t kReadAtATime = 4000;

#define UMBRANET_SELECT_PAGE(memory)                                                           \
  "SELECT e.memory_id, e.interaction_id, e.role, e.occurred_at, e.text, e.sequence, e.ordinal" \
  " FROM " memory                                                                              \
  " JOIN episode e ON e.user_key = m.memory_key"                                               \
  " WHERE (e.occurred_at, e.sequence, e.ordinal, e.memory_id) > ($3, $4, $5, $6)"              \
  " ORDER BY e.occurred_at, e.sequence, e.ordinal, e.memory_id LIMIT $7"
constexpr std::string_view kSelectPage = UMBRANET_SELECT_PAGE(UMBRANET_MEMORY_IN_FORCE);
constexpr std::string_view kSelectShadowPage = UMBRANET_SELECT_PAGE(UMBRANET_MEMORY_IN_SHADOW);
#define UMBRANET_SELECT_ITEM \
  "SELECT e.memory_id, e.interaction_id, e.role, e.occurred_at, e.text, a.user_key,"    \
  " a.user_id FROM episode e" UMBRANET_JOIN_ACCOUNT_OF("e") " WHERE e.memory_id = $1" \
  " AND a.tenant = $2 AND "
constexpr std::string_view kSelectItem = UMBRANET_SELECT_ITEM UMBRANET_ROW_IS_IN_FORCE("e");
constexpr std::string_view kSelectShadowItem = UMBRANET_SELECT_ITEM UMBRANET_ROW_IS_IN_SHADOW;
constexpr std::string_view kSelectLastKey =
    "SELECT coalesce(max(episode_key), 0) FROM episode WHERE user_key = $1";
constexpr std::string_view kSelectSlice =
    "SELECT episode_key FROM episode WHERE user_key = $1 AND episode_key <= $2"
    " ORDER BY episode_key LIMIT $3";
constexpr std::string_view kDeleteEmptyBook =
    "DELETE FROM episode_book WHERE user_key = $1"
    " AND user_documents = 0 AND assistant_documents = 0";

constexpr std::size_t kEraseAtATime = 1000;
constexpr std::size_t kIndexAtATime = 500;
// An application takes on a little more than it adds, so that a large user's index catches up.
constexpr int kIndexSlices = 4;
constexpr std::size_t kFillAtATime = 200;

// Columns as in kSelectPage and kSelectItem.
MemoryItem ReadItem(const PostgresRow& row, UserKey user) {
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
  std::int64_t owner_key = 0;
};

Result<std::optional<StoredItem>> FindItem(PostgresConnection& connection, std::string_view tenant,
                                           std::string_view memory_id, GenerationState which) {
  UMBRANET_ASSIGN_OR_RETURN(
      const PostgresRows rows,
      connection.Query(which == GenerationState::kInForce ? kSelectItem : kSelectShadowItem,
                       memory_id, tenant));
  std::optional<StoredItem> found;
  if (!rows.empty()) {
    const PostgresRow row = rows[0];
    found = {ReadItem(row, {std::string(tenant), row.String(6)}), row.Int(5)};
  }
  return found;
}

struct LockedItem {
  StoredItem stored;
  std::vector<PlacedEpisode> everywhere;
};

// As FindItem, and nobody else writes the user's episodes until the transaction ends.
Result<std::optional<LockedItem>> LockItem(PostgresConnection& connection, std::string_view tenant,
                                           std::string_view memory_id, GenerationState which) {
  UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredItem> found,
                            FindItem(connection, tenant, memory_id, which));
  if (!found.has_value()) {
    return std::optional<LockedItem>();
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<PlacedEpisode> everywhere,
                            LockEpisodeEverywhere(connection, found->owner_key, memory_id));
  UMBRANET_ASSIGN_OR_RETURN(found, FindItem(connection, tenant, memory_id, which));
  return found.has_value() ? std::optional(LockedItem{*std::move(found), std::move(everywhere)})
                           : std::nullopt;
}

// The first of the user's episodes up to that key. How many there were.
Result<std::uint64_t> EraseSlice(PostgresConnection& connection, std::int64_t user_key,
                                 std::int64_t last_key) {
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      connection.RunAll(std::array{OpenEpisodeBook(user_key),
                                   MakeCommand(kSelectSlice, user_key, last_key, kEraseAtATime)}));
  std::vector<std::int64_t> keys;
  for (const PostgresRow row : rows[1]) {
    keys.push_back(row.Int(0));
  }
  std::uint64_t removed = 0;
  if (!keys.empty()) {
    UMBRANET_ASSIGN_OR_RETURN(removed, RemoveEpisodes(connection, user_key, keys));
  }
  const Result<std::int64_t> closed = connection.Run(kDeleteEmptyBook, user_key);
  return closed.ok() ? Result<std::uint64_t>(removed) : closed.error();
}

// What the database holds of a user. Marks are keys of episodes and of vectors.
class PostgresEpisodeSource final : public EpisodeSource {
 public:
  PostgresEpisodeSource(PostgresPool& pool, const EpisodeExtent& extent, const UserKey& user,
                        Deadline deadline)
      : pool_(pool), extent_(extent), user_(user), deadline_(deadline) {}

  Status CatchUp(UserEpisodes& episodes, EpisodeMark& mark) override {
    if (mark.epoch > extent_.epoch ||
        (mark.epoch == extent_.epoch && mark.episodes >= extent_.last_episode &&
         mark.vectors >= extent_.last_vector)) {
      return {};
    }
    return pool_.Snapshot(deadline_, [&](PostgresConnection& connection) -> Status {
      UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                                connection.Query(kSelectExtentOfKey, extent_.user_key));
      if (rows.empty()) {
        episodes = UserEpisodes();
        mark = EpisodeMark();
        return {};
      }
      const EpisodeExtent now = ReadExtent(rows[0]);
      if (mark.epoch != now.epoch) {
        episodes = UserEpisodes();
        mark = {.epoch = now.epoch};
      }
      UMBRANET_RETURN_IF_ERROR(ReadEpisodes(connection, episodes, mark));
      return ReadVectors(connection, episodes, mark);
    });
  }

 private:
  Status ReadEpisodes(PostgresConnection& connection, UserEpisodes& episodes,
                      EpisodeMark& mark) const {
    for (std::int64_t read = kReadAtATime; read == kReadAtATime;) {
      UMBRANET_ASSIGN_OR_RETURN(
          const PostgresRows rows,
          connection.Query(kSelectEpisodes, extent_.user_key, mark.episodes, kReadAtATime));
      for (const PostgresRow row : rows) {
        episodes.Add({.episode_key = row.Int(kEpisodeKeyColumn),
                      .episode = EpisodeOf(row, user_),
                      .length = static_cast<std::uint32_t>(row.Int(kEpisodeLengthColumn)),
                      .terms = row.Text(kEpisodeTermsColumn)});
        mark.episodes = row.Int(kEpisodeKeyColumn);
      }
      read = rows.size();
    }
    return {};
  }

  Status ReadVectors(PostgresConnection& connection, UserEpisodes& episodes,
                     EpisodeMark& mark) const {
    for (std::int64_t read = kReadAtATime; read == kReadAtATime;) {
      UMBRANET_ASSIGN_OR_RETURN(
          const PostgresRows rows,
          connection.Query(kSelectVectors, extent_.user_key, mark.vectors, kReadAtATime));
      for (const PostgresRow row : rows) {
        std::optional<QuantizedVector> vector = UnpackVector(row.Text(3));
        if (vector.has_value()) {
          episodes.SetVector({row.Int(1), row.Int(2), std::move(*vector)});
        }
        mark.vectors = row.Int(0);
      }
      read = rows.size();
    }
    return {};
  }

  PostgresPool& pool_;
  const EpisodeExtent& extent_;
  const UserKey& user_;
  const Deadline deadline_;
};

}  // namespace

PostgresEpisodicMemory::PostgresEpisodicMemory(PostgresPool& pool)
    : PostgresEpisodicMemory(pool, Options()) {}

PostgresEpisodicMemory::PostgresEpisodicMemory(PostgresPool& pool, Options options)
    : pool_(pool), options_(options), cache_(options.cache_bytes_max) {}

Result<PostgresVectorSupport> PostgresEpisodicMemory::Support(Deadline deadline) {
  {
    const MutexLock lock(mutex_);
    if (support_.has_value() && support_->has_column) {
      return *support_;
    }
  }
  UMBRANET_ASSIGN_OR_RETURN(PostgresVectorSupport support, pool_.Read(deadline, ReadVectorSupport));
  const MutexLock lock(mutex_);
  support_ = support;
  return support;
}

Result<std::string> PostgresEpisodicMemory::WhyVectorsAreComparedHere(Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(PostgresVectorSupport support, Support(deadline));
  return std::move(support.why_not);
}

Status PostgresEpisodicMemory::Apply(std::span<const ReflectionPlan> plans, const Lease& fence,
                                     Deadline deadline) {
  EpisodesAdded added;
  std::int64_t memory_key = 0;
  UMBRANET_RETURN_IF_ERROR(pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(
            const PostgresTierApplication application,
            BeginApplication(connection, Tier::kEpisodic, plans, fence, options_.which));
        memory_key = application.memory.memory_key;
        UMBRANET_ASSIGN_OR_RETURN(added,
                                  AddEpisodes(connection, application.memory, application.plans));
        return {};
      },
      PostgresDurability::kSoon));
  if (!added.in_database && added.documents > options_.cached_documents_max) {
    MoveIntoDatabase(memory_key, deadline);
  }
  return {};
}

// The episodes are stored and are searched in memory meanwhile, so what fails here is left to the
// next application.
void PostgresEpisodicMemory::MoveIntoDatabase(std::int64_t memory_key, Deadline deadline) {
  for (int slice = 0; slice < kIndexSlices; ++slice) {
    const Result<bool> moved = pool_.Transact(
        deadline, PostgresIsolation::kReadCommitted,
        [&](PostgresConnection& connection) {
          return IndexEpisodes(connection, memory_key, kIndexAtATime);
        },
        PostgresDurability::kSoon);
    if (!moved.ok()) {
      return;
    }
    if (*moved) {
      cache_.Drop(memory_key);
      return;
    }
  }
}

Result<MemoryPage> PostgresEpisodicMemory::List(const UserKey& user, std::string_view cursor,
                                                std::size_t limit, Deadline deadline) {
  const std::optional<MemoryPlace> after = ParseCursor(cursor);
  if (!after.has_value()) {
    return InvalidArgument("postgres: unknown cursor");
  }
  return pool_.Read(deadline, [&](PostgresConnection& connection) -> Result<MemoryPage> {
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection.Query(IsInForce() ? kSelectPage : kSelectShadowPage, user.tenant, user.user_id,
                         after->occurred_at, after->sequence, after->ordinal, after->memory_id,
                         limit + 1));
    MemoryPage page;
    MemoryPlace last;
    for (const PostgresRow row : rows) {
      if (page.items.size() == limit) {
        page.next_cursor = FormatCursor(last);
        break;
      }
      page.items.push_back(ReadItem(row, user));
      last = {row.Time(3), row.Int(5), row.Int(6), row.String(0)};
    }
    return page;
  });
}

Result<std::optional<MemoryItem>> PostgresEpisodicMemory::Get(std::string_view tenant,
                                                              std::string_view memory_id,
                                                              Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(std::optional<StoredItem> found,
                            pool_.Read(deadline, [&](PostgresConnection& connection) {
                              return FindItem(connection, tenant, memory_id, options_.which);
                            }));
  return found.has_value() ? std::optional(std::move(found->item)) : std::nullopt;
}

Result<std::optional<MemoryItem>> PostgresEpisodicMemory::Update(std::string_view tenant,
                                                                 std::string_view memory_id,
                                                                 const MemoryPatch& patch,
                                                                 Deadline deadline) {
  if (patch.valid_to.has_value()) {
    return InvalidArgument("postgres: valid_to: an episode has none");
  }
  if (patch.text.has_value() && patch.text->empty()) {
    return InvalidArgument("postgres: text: must not be empty");
  }
  using Item = std::optional<MemoryItem>;
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<Item> {
        UMBRANET_ASSIGN_OR_RETURN(std::optional<LockedItem> found,
                                  LockItem(connection, tenant, memory_id, options_.which));
        if (!found.has_value()) {
          return Item();
        }
        MemoryItem& item = found->stored.item;
        if (patch.text.has_value()) {
          for (const PlacedEpisode& episode : found->everywhere) {
            UMBRANET_RETURN_IF_ERROR(SetEpisodeText(connection, episode, *patch.text));
          }
          item.text = *patch.text;
        }
        return Item(std::move(item));
      });
}

Result<bool> PostgresEpisodicMemory::Erase(std::string_view tenant, std::string_view memory_id,
                                           Deadline deadline) {
  return pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted,
      [&](PostgresConnection& connection) -> Result<bool> {
        UMBRANET_ASSIGN_OR_RETURN(const std::optional<LockedItem> found,
                                  LockItem(connection, tenant, memory_id, options_.which));
        if (!found.has_value()) {
          return false;
        }
        const MemoryItem& item = found->stored.item;
        const std::vector<std::string> ids{item.memory_id};
        const std::vector<std::string> turns{item.sources.front().interaction_id};
        std::uint64_t removed = 0;
        for (const PlacedEpisode& episode : found->everywhere) {
          const std::vector<std::int64_t> keys{episode.episode_key};
          UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t here,
                                    RemoveEpisodes(connection, episode.memory_key, keys));
          removed += here;
        }
        UMBRANET_RETURN_IF_ERROR(
            RememberErasures(connection, found->stored.owner_key, Tier::kEpisodic, ids, turns));
        return removed > 0;
      });
}

Status PostgresEpisodicMemory::LetGo(const UserKey& user, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(const std::optional<PostgresMemory> memory,
                            pool_.Read(deadline, [&](PostgresConnection& connection) {
                              return FindMemory(connection, user, GenerationState::kInForce);
                            }));
  if (memory.has_value() && memory->has_others) {
    cache_.DropAll();  // The keys of generations that are gone are not known any more.
  } else if (memory.has_value()) {
    cache_.Drop(memory->memory_key);
  }
  return {};
}

Result<std::uint64_t> PostgresEpisodicMemory::EraseUser(const UserKey& user, Deadline deadline) {
  std::vector<std::int64_t> memories;
  std::optional<PostgresMemory> in_force;
  const Status begun = pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        memories.clear();
        UMBRANET_RETURN_IF_ERROR(EndOtherMemories(connection, user));
        UMBRANET_ASSIGN_OR_RETURN(in_force,
                                  FindMemory(connection, user, GenerationState::kInForce));
        if (in_force.has_value()) {
          UMBRANET_ASSIGN_OR_RETURN(memories, MemoriesOf(connection, in_force->owner_key));
        }
        return {};
      });
  UMBRANET_RETURN_IF_ERROR(begun);
  std::uint64_t removed = 0;
  for (const std::int64_t memory : memories) {
    UMBRANET_ASSIGN_OR_RETURN(const std::uint64_t episodes, EraseMemory(memory, deadline));
    removed += memory == in_force->memory_key ? episodes : 0;
  }
  return removed;
}

Result<std::uint64_t> PostgresEpisodicMemory::EraseMemory(std::int64_t memory_key,
                                                          Deadline deadline) {
  std::int64_t last_key = 0;
  UMBRANET_RETURN_IF_ERROR(pool_.Transact(
      deadline, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
        UMBRANET_ASSIGN_OR_RETURN(const PostgresRows last,
                                  connection.Query(kSelectLastKey, memory_key));
        last_key = last[0].Int(0);
        return CloseBook(connection, memory_key, Tier::kEpisodic);
      }));
  std::uint64_t removed = 0;
  for (std::uint64_t slice = kEraseAtATime; slice == kEraseAtATime;) {
    UMBRANET_ASSIGN_OR_RETURN(slice, pool_.Transact(deadline, PostgresIsolation::kReadCommitted,
                                                    [&](PostgresConnection& connection) {
                                                      return EraseSlice(connection, memory_key,
                                                                        last_key);
                                                    }));
    removed += slice;
  }
  cache_.Drop(memory_key);
  return removed;
}

Result<EpisodesFound> PostgresEpisodicMemory::Find(const EpisodeQuery& asked, Deadline deadline) {
  const EpisodeQuery query = WithEmbedding(asked);
  EpisodeSearch search;
  search.compared_documents_max = options_.compared_documents_max;
  const std::optional<std::string> space =
      query.embedding.has_value() ? std::optional(query.embedding_space) : std::nullopt;
  const std::string_view extent = IsInForce() ? kSelectExtent : kSelectShadowExtent;
  const auto take_extent = [&search](const PostgresRows& rows) {
    if (!rows.empty()) {
      search.extent = ReadExtent(rows[0]);
      search.space_key = rows[0].OptionalInt(9);
    }
    return !rows.empty();
  };
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows book, pool_.Ask(deadline, extent, query.user.tenant,
                                                               query.user.user_id, space));
  if (!take_extent(book)) {
    EpisodesFound nothing;
    nothing.statistics.document_frequency.resize(query.terms.size());
    nothing.assistant_statistics.document_frequency.resize(query.terms.size());
    return nothing;
  }
  if (!search.extent.in_database) {
    PostgresEpisodeSource source(pool_, search.extent, query.user, deadline);
    return cache_.Search(search.extent.user_key, query, search.space_key, source, deadline);
  }
  if (query.embedding.has_value()) {
    UMBRANET_ASSIGN_OR_RETURN(search.support, Support(deadline));
  }
  return pool_.Snapshot(deadline, [&](PostgresConnection& connection) -> Result<EpisodesFound> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows now, connection.Query(extent, query.user.tenant,
                                                                       query.user.user_id, space));
    if (!take_extent(now)) {
      search.extent = {.user_key = search.extent.user_key};
    }
    return SearchEpisodes(connection, search, query);
  });
}

Result<UnembeddedPage> PostgresEpisodicMemory::Unembedded(std::string_view space,
                                                          std::string_view cursor,
                                                          std::size_t limit, Deadline deadline) {
  std::int64_t after = 0;
  const auto read = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
  if (!cursor.empty() && (read.ec != std::errc() || read.ptr != cursor.data() + cursor.size())) {
    return InvalidArgument("postgres: unknown cursor");
  }
  return pool_.Read(deadline, [&](PostgresConnection& connection) {
    return ReadUnembedded(connection, space, after, limit);
  });
}

Result<std::uint64_t> PostgresEpisodicMemory::CountVectors(const UserKey& user, Deadline deadline) {
  return pool_.Read(deadline, [&](PostgresConnection& connection) -> Result<std::uint64_t> {
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection.Query(kCountVectors, user.tenant, user.user_id));
    return static_cast<std::uint64_t>(rows[0].Int(0));
  });
}

Status PostgresEpisodicMemory::SaveVectors(std::string_view space,
                                           std::span<const EpisodeVector> vectors,
                                           Deadline deadline) {
  if (vectors.empty()) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> in_database,
                            SaveEpisodeVectors(pool_, space, vectors, deadline));
  if (in_database.empty()) {
    return {};
  }
  UMBRANET_ASSIGN_OR_RETURN(const PostgresVectorSupport support, Support(deadline));
  if (support.has_column) {
    for (const std::int64_t user_key : in_database) {
      // The vectors are saved, and compared here until they are copied.
      const Result<std::size_t> filled = FillVectorColumn(pool_, user_key, kFillAtATime, deadline);
      if (!filled.ok()) {
        break;
      }
    }
  }
  return {};
}

}  // namespace umbranet
