#include "umbranet/memory/pending_candidates.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace umbranet {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// A half and what it says of the question's terms.
struct CountedHalf {
  std::size_t turn = 0;  // Index into the pending turns.
  const PendingHalf* said = nullptr;
  QuestionTermCounter::Counts counts;

  [[nodiscard]] bool OfUser() const { return said->episode->role == Role::kUser; }

  [[nodiscard]] bool Matches() const {
    return std::any_of(counts.term_counts.begin(), counts.term_counts.end(),
                       [](std::uint32_t count) { return count > 0; });
  }
};

void AddToStatistics(const QuestionTermCounter::Counts& counts, CorpusStatistics& statistics) {
  const auto documents = static_cast<double>(statistics.documents);
  statistics.length_mean = (statistics.length_mean * documents + counts.length) / (documents + 1);
  ++statistics.documents;
  statistics.document_frequency.resize(
      std::max(statistics.document_frequency.size(), counts.term_counts.size()));
  for (std::size_t i = 0; i < counts.term_counts.size(); ++i) {
    statistics.document_frequency[i] += counts.term_counts[i] > 0 ? 1U : 0U;
  }
}

std::vector<CountedHalf> CountHalves(const Question& question,
                                     const std::vector<PendingTurnRef>& pending,
                                     std::optional<Timestamp> as_of, const HeldHalves& held) {
  const QuestionTermCounter counter(question);
  std::vector<CountedHalf> halves;
  halves.reserve(2 * pending.size());
  for (std::size_t i = 0; i < pending.size(); ++i) {
    for (const auto* half : {&pending[i]->user, &pending[i]->assistant}) {
      if (!half->has_value() || (as_of && (*half)->episode->occurred_at > *as_of) ||
          held.Contains(*(*half)->episode)) {
        continue;
      }
      halves.push_back({.turn = i, .said = &**half, .counts = {}});
      counter.AddJoined((*half)->terms, halves.back().counts);
    }
  }
  return halves;
}

// The turns with a half that matches; the best of them when they are too many.
std::vector<bool> BestMatches(const Question& question, const std::vector<CountedHalf>& halves,
                              const EpisodesFound& episodes, std::size_t turns) {
  const TermWeights user_terms = WeighTerms(question, episodes.statistics);
  const TermWeights assistant_terms = WeighTerms(question, episodes.assistant_statistics);
  std::vector<double> worth(turns, -1);
  std::vector<std::size_t> matching;
  for (const CountedHalf& half : halves) {
    if (!half.Matches()) {
      continue;
    }
    const bool user = half.OfUser();
    const LexicalScore score =
        ScoreText(user ? user_terms : assistant_terms, half.counts.term_counts, half.counts.length,
                  user ? kLengthUser : kLengthAssistant);
    if (worth[half.turn] < 0) {
      matching.push_back(half.turn);
    }
    worth[half.turn] = std::max(worth[half.turn], score.bm25);
  }
  if (matching.size() > kPendingCandidatesMax) {
    // Ties fall to the newer one.
    std::nth_element(matching.begin(),
                     matching.begin() + static_cast<std::ptrdiff_t>(kPendingCandidatesMax),
                     matching.end(), [&](std::size_t a, std::size_t b) {
                       return worth[a] != worth[b] ? worth[a] > worth[b] : a < b;
                     });
    matching.resize(kPendingCandidatesMax);
  }
  std::vector<bool> best(turns);
  for (const std::size_t turn : matching) {
    best[turn] = true;
  }
  return best;
}

// Adds what stands beside the matches. What stands before a session's first two turns is in the
// index and not known here, so they are taken in any case.
std::vector<bool> WithNeighbours(const std::vector<PendingTurnRef>& pending,
                                 const std::vector<bool>& matched) {
  struct Walk {
    std::size_t previous = kNone;
    int lent = 2;
  };

  std::unordered_map<std::string_view, Walk> sessions;
  std::vector<bool> chosen(pending.size());
  for (std::size_t i = pending.size(); i-- > 0;) {  // The oldest first.
    const PendingTurn& turn = *pending[i];
    if (!turn.user && !turn.assistant) {
      continue;
    }
    const Episode& episode = turn.user ? *turn.user->episode : *turn.assistant->episode;
    Walk& walk = sessions[episode.session_id];
    chosen[i] = matched[i] || walk.lent > 0;
    walk.lent = matched[i] ? 2 : walk.lent - 1;
    if (matched[i] && walk.previous != kNone) {
      chosen[walk.previous] = true;
    }
    walk.previous = i;
  }
  return chosen;
}

}  // namespace

std::vector<ScoredHalf> ChoosePending(const Question& question,
                                      const std::vector<PendingTurnRef>& pending,
                                      std::optional<Timestamp> as_of, const HeldHalves& held,
                                      EpisodesFound& episodes) {
  std::vector<ScoredHalf> chosen;
  if (pending.empty()) {
    return chosen;
  }
  std::vector<CountedHalf> halves = CountHalves(question, pending, as_of, held);
  for (const CountedHalf& half : halves) {
    AddToStatistics(half.counts,
                    half.OfUser() ? episodes.statistics : episodes.assistant_statistics);
  }
  const std::vector<bool> worth =
      WithNeighbours(pending, BestMatches(question, halves, episodes, pending.size()));
  for (CountedHalf& half : halves) {
    if (worth[half.turn]) {
      ScoredHalf& scored = chosen.emplace_back();
      scored.pending = true;
      scored.candidate.episode = half.said->episode;
      scored.candidate.matched = half.Matches();
      scored.candidate.length = half.counts.length;
      scored.candidate.term_counts = std::move(half.counts.term_counts);
    }
  }
  return chosen;
}

}  // namespace umbranet
