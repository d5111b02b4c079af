#include "umbranet/search/user_episodes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace umbranet {
namespace {

// What finds candidates is plain BM25 with the usual constants; ranking.h judges with its own.
constexpr double kSaturation = 1.2;
constexpr double kLength = 0.75;

constexpr std::size_t kTurnsAfter = 2;
constexpr std::size_t kAssistantShare = 3;  // At most one in so many.

constexpr std::size_t kBytesPerDocument = 400;  // Episode, its strings' own overhead, bookkeeping.
constexpr std::size_t kBytesPerTerm = 160;

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::size_t RoleIndex(Role role) {
  return role == Role::kUser ? 0 : 1;
}

}  // namespace

void UserEpisodes::Add(const Document& document) {
  const auto number = static_cast<std::uint32_t>(documents_.size());
  const Episode& episode = *document.episode;
  const std::size_t role = RoleIndex(episode.role);
  std::string_view rest = document.terms;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view term = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    auto known = terms_.find(term);
    if (known == terms_.end()) {
      known = terms_.emplace(std::string(term), PostingLists{}).first;
      bytes_ += kBytesPerTerm;
    }
    std::vector<Posting>& postings = known->second[role];
    if (!postings.empty() && postings.back().document == number) {
      ++postings.back().count;
    } else {
      postings.push_back({number, 1});
      bytes_ += sizeof(Posting);
    }
  }
  const auto [session, fresh] =
      session_index_.emplace(episode.session_id, static_cast<std::uint32_t>(sessions_.size()));
  if (fresh) {
    sessions_.emplace_back();
  }
  std::vector<std::uint32_t>& order = sessions_[session->second];
  const auto place = std::upper_bound(order.begin(), order.end(), episode.sequence,
                                      [&](std::int64_t sequence, std::uint32_t other) {
                                        return sequence < documents_[other].sequence;
                                      });
  order.insert(place, number);
  ++count_[role];
  length_[role] += document.length;
  auto text = std::make_shared<const ReadEpisodeText>(
      ReadEpisodeText{document.episode, ReadEpisode(episode, document.terms)});
  bytes_ += kBytesPerDocument + episode.text.size() + text->reading.terms.size();
  documents_.push_back({.episode_key = document.episode_key,
                        .session = session->second,
                        .text = std::move(text),
                        .sequence = episode.sequence});
  briefs_.push_back(
      {.occurred_at = episode.occurred_at, .length = document.length, .role = episode.role});
  vectors_.emplace_back();
}

std::size_t UserEpisodes::PlaceOf(std::int64_t episode_key) const {
  const auto place = std::lower_bound(
      documents_.begin(), documents_.end(), episode_key,
      [](const Stored& stored, std::int64_t key) { return stored.episode_key < key; });
  const bool there = place != documents_.end() && place->episode_key == episode_key;
  return there ? static_cast<std::size_t>(place - documents_.begin()) : documents_.size();
}

void UserEpisodes::Remove(std::int64_t episode_key) {
  const std::size_t number = PlaceOf(episode_key);
  if (number == documents_.size() || briefs_[number].removed) {
    return;
  }
  Stored& stored = documents_[number];
  Brief& brief = briefs_[number];
  std::erase(sessions_[stored.session], static_cast<std::uint32_t>(number));
  const std::size_t role = RoleIndex(brief.role);
  --count_[role];
  length_[role] -= brief.length;
  bytes_ -= stored.text->episode->text.size() + stored.text->reading.terms.size();
  brief.removed = true;
  vectors_[number].dimension = 0;
  stored.text.reset();
  ++removed_;
}

void UserEpisodes::SetVector(const Vector& vector) {
  const std::size_t number = PlaceOf(vector.episode_key);
  if (number == documents_.size() || briefs_[number].removed) {
    return;
  }
  VectorPlace* const place = &vectors_[number];
  const std::vector<std::int8_t>& values = vector.vector.values;
  if (place->dimension == values.size()) {
    std::copy(values.begin(), values.end(),
              values_.begin() + static_cast<std::ptrdiff_t>(place->offset));
  } else {
    place->offset = values_.size();
    values_.insert(values_.end(), values.begin(), values.end());
    bytes_ += values.size();
  }
  place->dimension = static_cast<std::uint32_t>(values.size());
  place->space_key = vector.space_key;
  place->scale = vector.vector.scale;
}

const UserEpisodes::PostingLists* UserEpisodes::Find(std::string_view term) const {
  const auto known = terms_.find(term);
  return known == terms_.end() ? nullptr : &known->second;
}

// One search: its working arrays are parallel to documents_.
class UserEpisodes::Searching {
 public:
  Searching(const UserEpisodes& all, const EpisodeQuery& query, std::size_t accompanied)
      : all_(all),
        query_(query),
        accompanied_(accompanied),
        horizon_(query.as_of.value_or(Timestamp::max())),
        slot_(all.documents_.size(), kNone) {
    for (const std::string& term : query.terms) {
      postings_.push_back(all.Find(term));
    }
  }

  EpisodesFound Run(std::optional<std::int64_t> space_key, Beginnings beginnings) {
    EpisodesFound found;
    found.statistics = Statistics(0);
    found.assistant_statistics = Statistics(1);
    const std::vector<double> scores = ScoreTerms(found);
    TakeBest(scores, query_.candidates_max);
    if (query_.embedding.has_value() && space_key.has_value()) {
      Compare(*space_key);
      TakeBest(similarity_, query_.similar_max);
    }
    if (beginnings == Beginnings::kBrought) {
      AddBeginnings();
    }
    Answer(found);
    return found;
  }

 private:
  [[nodiscard]] CorpusStatistics Statistics(std::size_t role) const {
    CorpusStatistics statistics;
    statistics.documents = all_.count_[role];
    statistics.length_mean = all_.count_[role] == 0 ? 0
                                                    : static_cast<double>(all_.length_[role]) /
                                                          static_cast<double>(all_.count_[role]);
    for (const PostingLists* lists : postings_) {
      statistics.document_frequency.push_back(lists == nullptr ? 0 : Holding((*lists)[role]));
    }
    return statistics;
  }

  // Documents in the list that are still there.
  [[nodiscard]] std::size_t Holding(const std::vector<Posting>& list) const {
    if (all_.removed_ == 0) {
      return list.size();
    }
    return static_cast<std::size_t>(std::count_if(
        list.begin(), list.end(),
        [&](const Posting& posting) { return !all_.briefs_[posting.document].removed; }));
  }

  [[nodiscard]] std::vector<double> ScoreTerms(const EpisodesFound& found) const {
    std::vector<double> scores(all_.documents_.size());
    for (const std::size_t role : {std::size_t{0}, std::size_t{1}}) {
      const CorpusStatistics& corpus = role == 0 ? found.statistics : found.assistant_statistics;
      const auto documents = static_cast<double>(corpus.documents);
      const double mean = std::max(corpus.length_mean, 1.0);
      for (std::size_t term = 0; term < postings_.size(); ++term) {
        const PostingLists* const lists = postings_[term];
        if (lists == nullptr) {
          continue;
        }
        const auto holding = static_cast<double>(corpus.document_frequency[term]);
        const double idf = std::log(1 + (documents - holding + 0.5) / (holding + 0.5));
        for (const Posting& posting : (*lists)[role]) {
          const double length = all_.briefs_[posting.document].length / mean;
          const double saturation = kSaturation * (1 - kLength + kLength * length);
          scores[posting.document] +=
              idf * posting.count * (kSaturation + 1) / (posting.count + saturation);
        }
      }
    }
    return scores;
  }

  // Those with the highest values above 0, of each role within its share, become matches.
  template <typename Value>
  void TakeBest(const std::vector<Value>& values, std::size_t limit) {
    std::array<std::vector<std::uint32_t>, 2> by_role;
    std::vector<std::uint32_t> best;
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      const Brief& brief = all_.briefs_[i];
      if (values[i] > 0 && !brief.removed && brief.occurred_at <= horizon_) {
        by_role[RoleIndex(brief.role)].push_back(i);
      }
    }
    const auto better = [&](std::uint32_t a, std::uint32_t b) {
      return values[a] != values[b] ? values[a] > values[b] : a < b;
    };
    const auto take = [&](std::vector<std::uint32_t>& documents, std::size_t most) {
      if (documents.size() > most) {
        std::nth_element(documents.begin(), documents.begin() + static_cast<std::ptrdiff_t>(most),
                         documents.end(), better);
        documents.resize(most);
      }
      best.insert(best.end(), documents.begin(), documents.end());
      return documents.size();
    };
    const std::size_t assistants = take(by_role[1], limit / kAssistantShare);
    take(by_role[0], limit - assistants);
    std::sort(best.begin(), best.end(), better);
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (i < accompanied_) {
        AddNeighbours(best[i]);
      }
      Want(best[i]);
    }
    matched_.insert(matched_.end(), best.begin(), best.end());
  }

  void Compare(std::int64_t space_key) {
    const VectorProbe probe(*query_.embedding);
    similarity_.assign(all_.documents_.size(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < all_.vectors_.size(); ++i) {
      const VectorPlace& place = all_.vectors_[i];
      if (place.dimension == probe.dimension() && place.space_key == space_key) {
        similarity_[i] = probe.Product(
            std::span(all_.values_).subspan(place.offset, place.dimension), place.scale);
      }
    }
  }

  // Everything from the turn before a match to the second after it, within its session.
  void AddNeighbours(std::uint32_t match) {
    const Stored& stored = all_.documents_[match];
    const std::vector<std::uint32_t>& order = all_.sessions_[stored.session];
    const auto sequence = [&](std::size_t at) { return all_.documents_[order[at]].sequence; };
    const auto place = std::lower_bound(order.begin(), order.end(), stored.sequence,
                                        [&](std::uint32_t other, std::int64_t wanted) {
                                          return all_.documents_[other].sequence < wanted;
                                        });
    auto first = static_cast<std::size_t>(place - order.begin());
    if (first > 0) {
      const std::int64_t before = sequence(first - 1);
      while (first > 0 && sequence(first - 1) == before) {
        --first;
      }
    }
    std::size_t after = 0;
    std::int64_t last = stored.sequence;
    for (std::size_t at = first; at < order.size(); ++at) {
      if (sequence(at) > last) {
        last = sequence(at);
        if (++after > kTurnsAfter) {
          break;
        }
      }
      Want(order[at]);
    }
  }

  // Of every session the first two turns.
  void AddBeginnings() {
    for (const std::vector<std::uint32_t>& order : all_.sessions_) {
      std::size_t turns = 0;
      std::optional<std::int64_t> last;
      for (const std::uint32_t document : order) {
        if (all_.documents_[document].sequence != last) {
          last = all_.documents_[document].sequence;
          if (++turns > kTurnsAfter) {
            break;
          }
        }
        Want(document);
      }
    }
  }

  void Want(std::uint32_t document) {
    if (slot_[document] == kNone && all_.briefs_[document].occurred_at <= horizon_) {
      slot_[document] = static_cast<std::uint32_t>(wanted_.size());
      wanted_.push_back(document);
    }
  }

  void Answer(EpisodesFound& found) const {
    found.candidates.resize(wanted_.size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const Stored& stored = all_.documents_[wanted_[i]];
      EpisodeCandidate& candidate = found.candidates[i];
      candidate.episode = {stored.text, stored.text->episode.get()};
      candidate.length = all_.briefs_[wanted_[i]].length;
      candidate.reading = &stored.text->reading;
      candidate.term_counts.resize(query_.terms.size());
      if (!similarity_.empty() && !std::isnan(similarity_[wanted_[i]])) {
        candidate.similarity = similarity_[wanted_[i]];
      }
    }
    for (const std::uint32_t match : matched_) {
      found.candidates[slot_[match]].matched = true;
    }
    for (std::size_t term = 0; term < postings_.size(); ++term) {
      if (postings_[term] == nullptr) {
        continue;
      }
      for (const std::vector<Posting>& list : *postings_[term]) {
        for (const Posting& posting : list) {
          if (slot_[posting.document] != kNone) {
            found.candidates[slot_[posting.document]].term_counts[term] = posting.count;
          }
        }
      }
    }
  }

  const UserEpisodes& all_;
  const EpisodeQuery& query_;
  const std::size_t accompanied_;
  const Timestamp horizon_;
  std::vector<const PostingLists*> postings_;  // Parallel to the query's terms.
  std::vector<float> similarity_;              // NaN: no vector. Empty: not asked for.
  std::vector<std::uint32_t> matched_;
  std::vector<std::uint32_t> wanted_;
  std::vector<std::uint32_t> slot_;  // Where a document is in wanted_.
};

EpisodesFound UserEpisodes::Search(const EpisodeQuery& query, std::optional<std::int64_t> space_key,
                                   Beginnings beginnings, std::size_t accompanied) const {
  return Searching(*this, query, accompanied).Run(space_key, beginnings);
}

}  // namespace umbranet
