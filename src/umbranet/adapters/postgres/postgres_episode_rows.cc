#include "umbranet/adapters/postgres/postgres_episode_rows.h"

#include <array>
#include <map>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/episode_document.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {
namespace {

// Makes the row when there is none, and locks it.
constexpr std::string_view kOpenBook =
    "INSERT INTO episode_book(user_key) VALUES($1)"
    " ON CONFLICT (user_key) DO UPDATE SET user_key = excluded.user_key";
// Keys are given in the order of the plans. What is erased stays away, and what an earlier
// generation of the job left stays as it is.
constexpr std::string_view kInsertEpisodes =
    "WITH added AS (INSERT INTO episode(user_key, session_id, sequence, ordinal, occurred_at, role,"
    " length, importance, memory_id, interaction_id, speaker, event_times, text, terms, edited)"
    " SELECT $1, n.session_id, n.sequence, n.ordinal, n.occurred_at, n.role, n.length,"
    " n.importance, n.memory_id, n.interaction_id, n.speaker, n.event_times, n.text, n.terms,"
    " n.memory_id = ANY($17::text[]) FROM unnest($2::text[], $3::bigint[], $4::bigint[], "
    "$5::bigint[], $6::bigint[], $7::bigint[],"
    " $8::double precision[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::bytea[],"
    " $14::text[]) WITH ORDINALITY AS n(session_id, sequence, ordinal, occurred_at, role, length,"
    " importance, memory_id, interaction_id, speaker, event_times, text, terms, place)"
    " WHERE NOT EXISTS (SELECT 1 FROM erased_memory x"
    " WHERE x.user_key = $16 AND x.tier = $15 AND x.id = n.memory_id)"
    " ORDER BY n.place ON CONFLICT (memory_id, user_key) DO NOTHING RETURNING episode_key, role, "
    "length),"
    " sums AS (SELECT max(episode_key) AS last_episode,"
    " count(*) FILTER (WHERE role = 0) AS user_documents,"
    " coalesce(sum(length) FILTER (WHERE role = 0), 0) AS user_terms,"
    " count(*) FILTER (WHERE role = 1) AS assistant_documents,"
    " coalesce(sum(length) FILTER (WHERE role = 1), 0) AS assistant_terms FROM added)"
    " UPDATE episode_book b SET last_episode = greatest(b.last_episode, s.last_episode),"
    " user_documents = b.user_documents + s.user_documents,"
    " user_terms = b.user_terms + s.user_terms,"
    " assistant_documents = b.assistant_documents + s.assistant_documents,"
    " assistant_terms = b.assistant_terms + s.assistant_terms"
    " FROM sums s WHERE b.user_key = $1"
    " RETURNING b.user_documents + b.assistant_documents, b.in_database";

// What an owner changed in another generation.
constexpr std::string_view kSelectEdited =
    "SELECT DISTINCT ON (memory_id) memory_id, text FROM episode"
    " WHERE memory_id = ANY($1::text[]) AND edited ORDER BY memory_id, episode_key";
// What another generation knows of the same words.
constexpr std::string_view kInheritVectors =
    "WITH put AS (INSERT INTO episode_vector(episode_key, user_key, space_key, role, occurred_at,"
    " packed) SELECT DISTINCT ON (n.episode_key) n.episode_key, n.user_key, v.space_key, n.role,"
    " n.occurred_at, v.packed FROM episode n JOIN episode o ON o.memory_id = n.memory_id"
    " AND o.user_key <> n.user_key AND o.text = n.text AND o.speaker = n.speaker"
    " JOIN episode_vector v ON v.episode_key = o.episode_key"
    " WHERE n.user_key = $1 AND n.memory_id = ANY($2::text[])"
    " ORDER BY n.episode_key, v.vector_key DESC ON CONFLICT (episode_key) DO NOTHING"
    " RETURNING vector_key)"
    " UPDATE episode_book b SET last_vector = greatest(b.last_vector, l.vector_key)"
    " FROM (SELECT max(vector_key) AS vector_key FROM put) l WHERE b.user_key = $1";
constexpr std::string_view kSelectEverywhere =
    "SELECT user_key, episode_key FROM episode WHERE memory_id = $1 ORDER BY user_key";

#define UMBRANET_INSERT_TERMS                                                               \
  "INSERT INTO episode_term(user_key, term, role, episode_key, count, length, occurred_at)" \
  " SELECT e.user_key, t.term, e.role, e.episode_key, count(*), e.length, e.occurred_at"
#define UMBRANET_GROUP_TERMS                                             \
  " CROSS JOIN LATERAL unnest(string_to_array(e.terms, ' ')) AS t(term)" \
  " GROUP BY e.user_key, t.term, e.role, e.episode_key, e.length, e.occurred_at"

// What was just added, where the user is searched in the database.
constexpr std::string_view kIndexAdded =
    "WITH fresh AS (SELECT e.user_key, e.role, e.episode_key, e.length, e.occurred_at, e.terms"
    " FROM episode_book b JOIN episode e ON e.user_key = b.user_key"
    " AND e.episode_key > b.indexed_to WHERE b.user_key = $1 AND b.in_database),"
    " put AS (" UMBRANET_INSERT_TERMS " FROM fresh e" UMBRANET_GROUP_TERMS
    ")"
    " UPDATE episode_book SET indexed_to = last_episode WHERE user_key = $1 AND in_database";
constexpr std::string_view kIndexSlice =
    "WITH slice AS (SELECT e.user_key, e.role, e.episode_key, e.length, e.occurred_at, e.terms"
    " FROM episode_book b JOIN episode e ON e.user_key = b.user_key"
    " AND e.episode_key > b.indexed_to WHERE b.user_key = $1 ORDER BY e.episode_key LIMIT $2),"
    " put AS (" UMBRANET_INSERT_TERMS " FROM slice e" UMBRANET_GROUP_TERMS
    "),"
    " done AS (SELECT max(episode_key) AS last_episode, count(*) AS documents FROM slice)"
    " UPDATE episode_book b SET indexed_to = greatest(b.indexed_to, d.last_episode),"
    " in_database = d.documents < $2"
    " FROM done d WHERE b.user_key = $1 RETURNING b.in_database";
constexpr std::string_view kUnindex =
    "DELETE FROM episode_term p USING (SELECT DISTINCT e.user_key, t.term, e.role, e.episode_key"
    " FROM episode e CROSS JOIN LATERAL unnest(string_to_array(e.terms, ' ')) AS t(term)"
    " WHERE e.user_key = $1 AND e.episode_key = ANY($2::bigint[])) d"
    " WHERE p.user_key = d.user_key AND p.term = d.term AND p.role = d.role"
    " AND p.episode_key = d.episode_key";
constexpr std::string_view kIndexAgain = UMBRANET_INSERT_TERMS
    " FROM episode_book b JOIN episode e ON e.user_key = b.user_key AND b.user_key = $1"
    " AND e.episode_key = $2 AND e.episode_key <= b.indexed_to" UMBRANET_GROUP_TERMS;

constexpr std::string_view kDeleteVectors =
    "DELETE FROM episode_vector WHERE episode_key = ANY($1::bigint[])";
constexpr std::string_view kDeleteEpisodes =
    "WITH gone AS (DELETE FROM episode WHERE user_key = $1 AND episode_key = ANY($2::bigint[])"
    " RETURNING role, length),"
    " sums AS (SELECT count(*) FILTER (WHERE role = 0) AS user_documents,"
    " coalesce(sum(length) FILTER (WHERE role = 0), 0) AS user_terms,"
    " count(*) FILTER (WHERE role = 1) AS assistant_documents,"
    " coalesce(sum(length) FILTER (WHERE role = 1), 0) AS assistant_terms FROM gone)"
    " UPDATE episode_book b SET epoch = nextval('episode_epoch'),"
    " user_documents = b.user_documents - s.user_documents,"
    " user_terms = b.user_terms - s.user_terms,"
    " assistant_documents = b.assistant_documents - s.assistant_documents,"
    " assistant_terms = b.assistant_terms - s.assistant_terms"
    " FROM sums s WHERE b.user_key = $1 RETURNING s.user_documents + s.assistant_documents";
constexpr std::string_view kSelectDocument =
    "SELECT role, length, speaker, occurred_at FROM episode"
    " WHERE user_key = $1 AND episode_key = $2";
constexpr std::string_view kSetText =
    "UPDATE episode SET text = $2, terms = $3, length = $4, edited = true WHERE episode_key = $1";
constexpr std::string_view kCountTerms =
    "UPDATE episode_book SET epoch = nextval('episode_epoch'), user_terms = user_terms + $2,"
    " assistant_terms = assistant_terms + $3 WHERE user_key = $1";

constexpr std::int64_t kRoleStride = 1000;

using EditedTexts = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> EpisodeIdsOf(std::span<const ReflectionPlan* const> plans) {
  std::vector<std::string> ids;
  for (const ReflectionPlan* plan : plans) {
    std::array<std::uint32_t, 2> counts{};
    for (const PlannedEpisode& planned : plan->episodes) {
      ids.push_back(MakeEpisodeId(plan->user, plan->interaction_id, planned.role,
                                  counts.at(static_cast<std::size_t>(planned.role))++));
    }
  }
  return ids;
}

// With the owner's book locked, so that whoever changes something now comes to what is added.
Result<EditedTexts> ReadEdits(PostgresConnection& connection, std::int64_t owner_key,
                              const std::vector<std::string>& memory_ids) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                            connection.RunAll(std::array{OpenEpisodeBook(owner_key),
                                                         MakeCommand(kSelectEdited, memory_ids)}));
  EditedTexts edits;
  for (const PostgresRow row : rows[1]) {
    edits.emplace(row.String(0), row.String(1));
  }
  return edits;
}

// Episodes of plans as parallel columns; refers to the plans and to what was changed.
struct EpisodeTable {
  std::vector<std::string> session_ids;
  std::vector<std::int64_t> sequences;
  std::vector<std::int64_t> ordinals;
  std::vector<Timestamp> occurred_at;
  std::vector<std::int64_t> roles;
  std::vector<std::int64_t> lengths;
  std::vector<double> importances;
  std::vector<std::string> memory_ids;
  std::vector<std::string> interaction_ids;
  std::vector<PostgresBytes> speakers;  // The plans'.
  std::vector<std::string> event_times;
  std::vector<PostgresBytes> texts;
  std::vector<std::string> terms;
  std::vector<std::string> edited;  // Memory ids.

  // `edits` are texts by memory id.
  void Add(const ReflectionPlan& plan, const EditedTexts& edits) {
    std::array<std::uint32_t, 2> counts{};
    for (const PlannedEpisode& planned : plan.episodes) {
      const auto role = static_cast<std::size_t>(planned.role);
      const std::uint32_t ordinal = counts.at(role)++;
      std::string id = MakeEpisodeId(plan.user, plan.interaction_id, planned.role, ordinal);
      const auto changed = edits.find(id);
      const std::string_view text = changed == edits.end() ? planned.text : changed->second;
      if (changed != edits.end()) {
        edited.push_back(id);
      }
      const std::vector<std::string> document =
          EpisodeTerms(text, planned.speaker, plan.occurred_at);
      session_ids.push_back(plan.session_id);
      sequences.push_back(plan.sequence);
      ordinals.push_back(static_cast<std::int64_t>(role) * kRoleStride + ordinal);
      occurred_at.push_back(plan.occurred_at);
      roles.push_back(static_cast<std::int64_t>(role));
      lengths.push_back(static_cast<std::int64_t>(document.size()));
      importances.push_back(planned.importance);
      memory_ids.push_back(std::move(id));
      interaction_ids.push_back(plan.interaction_id);
      speakers.push_back({planned.speaker});
      event_times.push_back(FormatEventTimes(planned.event_times));
      texts.push_back({text});
      terms.push_back(JoinTerms(document));
    }
  }
};

}  // namespace

EpisodeExtent ReadExtent(const PostgresRow& row) {
  EpisodeExtent extent;
  extent.user_key = row.Int(0);
  extent.epoch = row.Int(1);
  extent.last_episode = row.Int(2);
  extent.last_vector = row.Int(3);
  for (int role = 0; role < 2; ++role) {
    extent.documents[role] = static_cast<std::uint64_t>(row.Int(4 + role));
    extent.terms[role] = static_cast<std::uint64_t>(row.Int(6 + role));
  }
  extent.in_database = row.Bool(8);
  return extent;
}

std::shared_ptr<const Episode> EpisodeOf(const PostgresRow& row, const UserKey& user) {
  Episode episode;
  episode.memory_id = row.String(2);
  episode.user = user;
  episode.interaction_id = row.String(3);
  episode.role = static_cast<Role>(row.Int(4));
  episode.session_id = row.String(1);
  episode.speaker = row.String(5);
  episode.text = row.String(6);
  episode.occurred_at = row.Time(7);
  episode.sequence = row.Int(8);
  episode.importance = row.Real(9);
  episode.event_times = ReadEventTimes(row.Text(10));
  return std::make_shared<const Episode>(std::move(episode));
}

PostgresCommand OpenEpisodeBook(std::int64_t user_key) {
  return MakeCommand(kOpenBook, user_key);
}

Result<EpisodesAdded> AddEpisodes(PostgresConnection& connection, const PostgresMemory& memory,
                                  std::span<const ReflectionPlan* const> plans) {
  EpisodesAdded added;
  const std::vector<std::string> ids = EpisodeIdsOf(plans);
  if (ids.empty()) {
    return added;
  }
  EditedTexts edits;
  if (memory.has_others) {
    UMBRANET_ASSIGN_OR_RETURN(edits, ReadEdits(connection, memory.owner_key, ids));
  }
  EpisodeTable out;
  for (const ReflectionPlan* plan : plans) {
    out.Add(*plan, edits);
  }
  const std::int64_t key = memory.memory_key;
  std::vector<PostgresCommand> commands{
      OpenEpisodeBook(key),
      MakeCommand(kInsertEpisodes, key, out.session_ids, out.sequences, out.ordinals,
                  out.occurred_at, out.roles, out.lengths, out.importances, out.memory_ids,
                  out.interaction_ids, out.speakers, out.event_times, out.texts, out.terms,
                  Tier::kEpisodic, memory.owner_key, out.edited),
      MakeCommand(kIndexAdded, key)};
  if (memory.has_others) {
    commands.push_back(MakeCommand(kInheritVectors, key, ids));
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
  added.documents = static_cast<std::uint64_t>(rows[1][0].Int(0));
  added.in_database = rows[1][0].Bool(1);
  return added;
}

Result<bool> IndexEpisodes(PostgresConnection& connection, std::int64_t user_key,
                           std::size_t limit) {
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      connection.RunAll(
          std::array{OpenEpisodeBook(user_key), MakeCommand(kIndexSlice, user_key, limit)}));
  return rows[1][0].Bool(0);
}

Result<std::uint64_t> RemoveEpisodes(PostgresConnection& connection, std::int64_t user_key,
                                     std::span<const std::int64_t> episode_keys) {
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<PostgresRows> rows,
      connection.RunAll(std::array{MakeCommand(kUnindex, user_key, episode_keys),
                                   MakeCommand(kDeleteVectors, episode_keys),
                                   MakeCommand(kDeleteEpisodes, user_key, episode_keys)}));
  return rows[2].empty() ? std::uint64_t{0} : static_cast<std::uint64_t>(rows[2][0].Int(0));
}

Result<std::vector<PlacedEpisode>> LockEpisodeEverywhere(PostgresConnection& connection,
                                                         std::int64_t owner_key,
                                                         std::string_view memory_id) {
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> locked,
                            connection.RunAll(std::array{OpenEpisodeBook(owner_key)}));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> memories,
                            MemoriesOf(connection, owner_key));
  std::vector<PostgresCommand> commands;
  for (const std::int64_t key : memories) {
    if (key != owner_key) {
      commands.push_back(OpenEpisodeBook(key));
    }
  }
  commands.push_back(MakeCommand(kSelectEverywhere, memory_id));
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, connection.RunAll(commands));
  std::vector<PlacedEpisode> episodes;
  for (const PostgresRow row : rows.back()) {
    episodes.push_back({row.Int(0), row.Int(1)});
  }
  return episodes;
}

Result<bool> SetEpisodeText(PostgresConnection& connection, const PlacedEpisode& episode,
                            std::string_view text) {
  const std::int64_t user_key = episode.memory_key;
  const std::int64_t episode_key = episode.episode_key;
  UMBRANET_ASSIGN_OR_RETURN(const PostgresRows document,
                            connection.Query(kSelectDocument, user_key, episode_key));
  if (document.empty()) {
    return false;
  }
  const PostgresRow row = document[0];
  const std::vector<std::string> terms = EpisodeTerms(text, row.Text(2), row.Time(3));
  const auto length = static_cast<std::int64_t>(terms.size());
  const std::int64_t grown = length - row.Int(1);
  const bool is_users = static_cast<Role>(row.Int(0)) == Role::kUser;
  const std::vector<std::int64_t> keys{episode_key};
  const auto set = connection.RunAll(
      std::array{MakeCommand(kUnindex, user_key, keys), MakeCommand(kDeleteVectors, keys),
                 MakeCommand(kSetText, episode_key, PostgresBytes{text}, JoinTerms(terms), length),
                 MakeCommand(kCountTerms, user_key, is_users ? grown : 0, is_users ? 0 : grown),
                 MakeCommand(kIndexAgain, user_key, episode_key)});
  return set.ok() ? Result<bool>(true) : set.error();
}

}  // namespace umbranet
