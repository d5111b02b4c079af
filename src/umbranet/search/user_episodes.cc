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

template <typename Value>
struct Match {
  Value value;
  std::uint32_t document;

  // The best first, and of equals the earlier document.
  bool operator<(const Match& other) const {
    return value != other.value ? value > other.value : document < other.document;
  }
};

// The highest `most` of the values above 0 that are added, in the order of their documents. Of a
// hundred thousand all but some hundred are told to be worse by one comparison.
template <typename Value>
class BestMatches {
 public:
  explicit BestMatches(std::size_t most) : most_(most), least_(most == 0 ? kNever : Value{0}) {}

  // What does not exceed it need not be added.
  [[nodiscard]] Value least() const { return least_; }

  void Add(Value value, std::uint32_t document) {
    matches_.push_back({value, document});
    if (matches_.size() >= 2 * most_) {
      matches_ = Take(most_);
      least_ = std::max_element(matches_.begin(), matches_.end())->value;
    }
  }

  // The best `size`, in no order.
  std::vector<Match<Value>> Take(std::size_t size) {
    if (matches_.size() > size) {
      std::nth_element(matches_.begin(), matches_.begin() + static_cast<std::ptrdiff_t>(size),
                       matches_.end());
      matches_.resize(size);
    }
    return std::move(matches_);
  }

 private:
  static constexpr Value kNever = std::numeric_limits<Value>::max();

  std::size_t most_;
  Value least_;
  std::vector<Match<Value>> matches_;
};

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
  edition_ = std::make_shared<const char>();
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
        edition_(all.edition_),
        slot_(all.documents_.size(), kNone) {
    for (const std::string& term : query.terms) {
      postings_.push_back(all.Find(term));
    }
  }

  void FindByWords() {
    found_.statistics = Statistics(0);
    found_.assistant_statistics = Statistics(1);
    TakeBest(ScoreTerms(), query_.candidates_max);
  }

  void FindByMeaning(const Embedding& embedding, std::int64_t space_key) {
    Compare(embedding, space_key);
    TakeBest(similarity_, query_.similar_max);
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

  // False: what was found before is there no more.
  [[nodiscard]] bool Resume(const UserEpisodes& all) {
    slot_.resize(all.documents_.size(), kNone);
    return &all == &all_ && all.edition_ == edition_;
  }

  // Makes the candidates of those that have been wanted since.
  void FillIn() {
    std::vector<EpisodeCandidate>& candidates = found_.candidates;
    const std::size_t before = candidates.size();
    candidates.resize(wanted_.size());
    for (std::size_t i = before; i < wanted_.size(); ++i) {
      const Stored& stored = all_.documents_[wanted_[i]];
      EpisodeCandidate& candidate = candidates[i];
      candidate.episode = {stored.text, stored.text->episode.get()};
      candidate.length = all_.briefs_[wanted_[i]].length;
      candidate.reading = &stored.text->reading;
      candidate.term_counts.resize(query_.terms.size());
    }
    for (std::size_t term = 0; term < postings_.size(); ++term) {
      if (postings_[term] != nullptr) {
        CountTerm(term, before);
      }
    }
  }

  EpisodesFound Answer() {
    FillIn();
    for (const std::uint32_t match : matched_) {
      found_.candidates[slot_[match]].matched = true;
    }
    for (std::size_t i = 0; i < wanted_.size() && !similarity_.empty(); ++i) {
      if (const float similarity = similarity_[wanted_[i]]; !std::isnan(similarity)) {
        found_.candidates[i].similarity = similarity;
      }
    }
    return std::move(found_);
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

  [[nodiscard]] std::vector<double> ScoreTerms() const {
    std::vector<double> scores(all_.documents_.size());
    for (const std::size_t role : {std::size_t{0}, std::size_t{1}}) {
      const CorpusStatistics& corpus = role == 0 ? found_.statistics : found_.assistant_statistics;
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
    std::array<BestMatches<Value>, 2> by_role = {BestMatches<Value>(limit),
                                                 BestMatches<Value>(limit / kAssistantShare)};
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      const Brief& brief = all_.briefs_[i];
      BestMatches<Value>& best = by_role[RoleIndex(brief.role)];
      if (values[i] > best.least() && !brief.removed && brief.occurred_at <= horizon_) {
        best.Add(values[i], i);
      }
    }
    auto best = by_role[1].Take(limit / kAssistantShare);
    const auto users = by_role[0].Take(limit - best.size());
    best.insert(best.end(), users.begin(), users.end());
    std::sort(best.begin(), best.end());
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (i < accompanied_) {
        AddNeighbours(best[i].document);
      }
      Want(best[i].document);
      matched_.push_back(best[i].document);
    }
  }

  void Compare(const Embedding& embedding, std::int64_t space_key) {
    const VectorProbe probe(embedding);
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

  void Want(std::uint32_t document) {
    if (slot_[document] == kNone && all_.briefs_[document].occurred_at <= horizon_) {
      slot_[document] = static_cast<std::uint32_t>(wanted_.size());
      wanted_.push_back(document);
    }
  }

  // In the candidates from `first` on.
  void CountTerm(std::size_t term, std::size_t first) {
    for (const std::vector<Posting>& list : *postings_[term]) {
      for (const Posting& posting : list) {
        const std::uint32_t slot =
            posting.document < slot_.size() ? slot_[posting.document] : kNone;
        if (slot != kNone && slot >= first) {
          found_.candidates[slot].term_counts[term] = posting.count;
        }
      }
    }
  }

  const UserEpisodes& all_;
  const EpisodeQuery& query_;
  const std::size_t accompanied_;
  const Timestamp horizon_;
  const std::shared_ptr<const char> edition_;
  EpisodesFound found_;                        // Its candidates come at the end.
  std::vector<const PostingLists*> postings_;  // Parallel to the query's terms.
  std::vector<float> similarity_;              // NaN: no vector. Empty: not asked for.
  std::vector<std::uint32_t> matched_;
  std::vector<std::uint32_t> wanted_;
  std::vector<std::uint32_t> slot_;  // Where a document is in wanted_.
};

UserEpisodes::Begun::Begun(std::unique_ptr<Searching> searching)
    : searching_(std::move(searching)) {}

UserEpisodes::Begun::Begun(Begun&&) noexcept = default;
UserEpisodes::Begun& UserEpisodes::Begun::operator=(Begun&&) noexcept = default;
UserEpisodes::Begun::~Begun() = default;

EpisodesFound UserEpisodes::Search(const EpisodeQuery& query, std::optional<std::int64_t> space_key,
                                   Beginnings beginnings, std::size_t accompanied) const {
  Searching searching(*this, query, accompanied);
  searching.FindByWords();
  if (query.embedding.has_value() && space_key.has_value()) {
    searching.FindByMeaning(*query.embedding, *space_key);
  }
  if (beginnings == Beginnings::kBrought) {
    searching.AddBeginnings();
  }
  return searching.Answer();
}

UserEpisodes::Begun UserEpisodes::Begin(const EpisodeQuery& query) const {
  Begun begun(std::make_unique<Searching>(*this, query, EpisodicMemory::kNeighboursMin));
  begun.searching_->FindByWords();
  begun.searching_->FillIn();  // While the embedding is waited for.
  return begun;
}

std::optional<EpisodesFound> UserEpisodes::Finish(Begun begun,
                                                  const std::optional<Embedding>& embedding,
                                                  std::optional<std::int64_t> space_key) const {
  Searching& searching = *begun.searching_;
  if (!searching.Resume(*this)) {
    return std::nullopt;
  }
  if (embedding.has_value() && space_key.has_value()) {
    searching.FindByMeaning(*embedding, *space_key);
  }
  return searching.Answer();
}

}  // namespace umbranet
