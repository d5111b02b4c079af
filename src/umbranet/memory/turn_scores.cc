#include "umbranet/memory/turn_scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "umbranet/base/text_analysis.h"
#include "umbranet/domain/episode_document.h"

namespace umbranet {
namespace {

// The constants of ranking.h.
constexpr double kSaturation = 1.2;  // k1
constexpr double kShareWeight = 0.2;
constexpr double kNeighbourTerms = 0.7;
constexpr double kOtherHalf = 0.4;
constexpr double kPrevious = 0.4;
constexpr double kPreviousAsked = 0.3;
constexpr double kBeforePrevious = 0.2;
constexpr double kNext = 0.15;
constexpr double kClosedExchange = 0.6;
constexpr double kOnlyAsks = 0.8;
constexpr double kBareQuestion = 0.5;
constexpr double kSession = 0.3;
constexpr double kNamedSpeaker = 1.8;
constexpr double kAssistant = 0.3;
constexpr double kMeaning = 3.5;
constexpr double kInAskedTime = 0.5;
constexpr double kDated = 1.25;

// A span many times longer than the one that is asked about ("in the eighties") says little of it.
constexpr int kSpanTimes = 3;
constexpr Millis kDay{86'400'000};

// Pairs of neighbouring terms are looked for in the best user halves alone: reading a text costs a
// hundred times what counted terms do, and a pair lifts nothing that is far down.
constexpr std::size_t kPairsReadIn = 32;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Turn {
  std::size_t user = kNone;  // Index into halves.
  std::size_t assistant = kNone;
  std::int64_t sequence = 0;
  std::string_view session;
  std::string_view speaker;
  QuestionForm form = QuestionForm::kNone;

  double user_lexical = 0;
  double assistant_lexical = 0;
  bool dated = false;
  bool in_asked_time = false;
  ScoreParts parts;  // Of the user's half.

  [[nodiscard]] bool Asks() const { return form != QuestionForm::kNone; }

  [[nodiscard]] double Closed() const { return assistant == kNone ? 1.0 : kClosedExchange; }
};

// Tells the halves of turns apart.
std::int64_t HalfNumber(const Episode& half) {
  return 2 * half.sequence + (half.role == Role::kUser ? 0 : 1);
}

void TakeHalves(const Question& question, EpisodesFound& from, std::optional<Timestamp> as_of,
                bool pending, std::vector<ScoredHalf>& halves) {
  for (EpisodeCandidate& candidate : from.candidates) {
    if (!as_of || candidate.episode->occurred_at <= *as_of) {
      candidate.term_counts.resize(question.terms.size());
      DropUnwritten(question, candidate.episode->text, candidate.term_counts);
      halves.push_back({.candidate = std::move(candidate), .pending = pending});
    }
  }
}

// Every half once, those of the index before those of the journal.
std::vector<ScoredHalf> Gather(const Question& question, EpisodesFound& episodes,
                               EpisodesFound& pending, std::optional<Timestamp> as_of) {
  std::vector<ScoredHalf> halves;
  halves.reserve(episodes.candidates.size() + pending.candidates.size());
  if (!pending.candidates.empty()) {
    // What was reflected while the tiers were asked is in both.
    std::vector<std::int64_t> held;
    held.reserve(episodes.candidates.size());
    for (const EpisodeCandidate& candidate : episodes.candidates) {
      held.push_back(HalfNumber(*candidate.episode));
    }
    std::sort(held.begin(), held.end());
    std::erase_if(pending.candidates, [&](const EpisodeCandidate& candidate) {
      return std::binary_search(held.begin(), held.end(), HalfNumber(*candidate.episode));
    });
  }
  TakeHalves(question, episodes, as_of, /*pending=*/false, halves);
  TakeHalves(question, pending, as_of, /*pending=*/true, halves);
  return halves;
}

void AddStatistics(const CorpusStatistics& other, CorpusStatistics& statistics) {
  const auto before = static_cast<double>(statistics.documents);
  const auto added = static_cast<double>(other.documents);
  if (added == 0) {
    return;
  }
  statistics.length_mean =
      (statistics.length_mean * before + other.length_mean * added) / (before + added);
  statistics.documents += other.documents;
  statistics.document_frequency.resize(
      std::max(statistics.document_frequency.size(), other.document_frequency.size()));
  for (std::size_t i = 0; i < other.document_frequency.size(); ++i) {
    statistics.document_frequency[i] += other.document_frequency[i];
  }
}

// Speakers with a name of their own that the question says, whole or by its first word.
std::set<std::string> NamedSpeakers(const Question& question,
                                    const std::vector<ScoredHalf>& halves) {
  std::set<std::string> speakers;
  for (const ScoredHalf& half : halves) {
    if (half.candidate.episode->role == Role::kUser &&
        half.candidate.episode->speaker != kDefaultSpeaker) {
      speakers.insert(half.candidate.episode->speaker);
    }
  }
  std::erase_if(speakers, [&](const std::string& speaker) {
    const std::vector<TextToken> name = Tokenize(speaker);
    return name.empty() || std::find(question.words.begin(), question.words.end(),
                                     name.front().folded) == question.words.end();
  });
  return speakers;
}

// Whether both terms of a pair are there, wherever.
bool HoldsAPair(const Question& question, const std::vector<std::uint32_t>& term_counts) {
  return std::any_of(question.neighbours.begin(), question.neighbours.end(), [&](const auto& pair) {
    return term_counts[pair.first] > 0 && term_counts[pair.second] > 0;
  });
}

void ScoreWords(const Question& question, const TermWeights& user_terms,
                const TermWeights& assistant_terms, std::vector<ScoredHalf>& halves) {
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < halves.size(); ++i) {
    ScoredHalf& half = halves[i];
    const bool user = half.candidate.episode->role == Role::kUser;
    const LexicalScore lexical =
        ScoreText(user ? user_terms : assistant_terms, half.candidate.term_counts,
                  half.candidate.length, user ? kLengthUser : kLengthAssistant);
    half.share = lexical.share;
    half.lexical = lexical.bm25 * (1 - kShareWeight + kShareWeight * lexical.share);
    if (user && half.lexical > 0) {
      best.push_back(i);
    }
  }
  if (question.neighbours.empty()) {
    return;
  }
  const std::size_t read = std::min(best.size(), kPairsReadIn);
  std::partial_sort(
      best.begin(), best.begin() + static_cast<std::ptrdiff_t>(read), best.end(),
      [&](std::size_t a, std::size_t b) { return halves[a].lexical > halves[b].lexical; });
  const QuestionTermCounter counter(question);
  for (std::size_t i = 0; i < read; ++i) {
    ScoredHalf& half = halves[best[i]];
    if (!HoldsAPair(question, half.candidate.term_counts)) {
      continue;
    }
    const std::vector<bool> found = counter.Neighbours(
        half.candidate.reading != nullptr ? half.candidate.reading->terms
                                          : ReadEpisode(*half.candidate.episode).terms);
    for (std::size_t pair = 0; pair < found.size(); ++pair) {
      const auto [first, second] = question.neighbours[pair];
      // A pair with a speaker's name in it says who, which is weighed apart.
      if (found[pair] && user_terms.weights[first] > 0 && user_terms.weights[second] > 0) {
        half.lexical +=
            kNeighbourTerms * (user_terms.weights[first] + user_terms.weights[second]) / 2;
      }
    }
  }
}

// Embedders differ in what they give to texts that have nothing in common, 0.1 or 0.6; what counts
// is how far above that a text lies.
void CompareMeanings(std::vector<ScoredHalf>& halves) {
  for (const Role role : {Role::kUser, Role::kAssistant}) {
    double sum = 0;
    double texts = kUnrelatedTexts;
    for (const ScoredHalf& half : halves) {
      if (half.candidate.episode->role == role && half.candidate.similarity) {
        sum += *half.candidate.similarity;
        texts += 1;
      }
    }
    const double mean = std::clamp(sum / texts, 0.0, 0.99);
    for (ScoredHalf& half : halves) {
      if (half.candidate.episode->role == role && half.candidate.similarity) {
        half.likeness = std::clamp((*half.candidate.similarity - mean) / (1 - mean), 0.0, 1.0);
      }
    }
  }
}

bool SpeaksOf(const Episode& episode, const std::vector<TimeRange>& asked) {
  return std::any_of(
      episode.event_times.begin(), episode.event_times.end(), [&](const TimeRange& told) {
        return std::any_of(asked.begin(), asked.end(), [&](const TimeRange& range) {
          return told.start < range.end && range.start < told.end &&
                 told.end - told.start <= kSpanTimes * std::max(range.end - range.start, kDay);
        });
      });
}

void AddHalf(const Question& question, const std::vector<ScoredHalf>& halves, std::size_t i,
             Turn& turn) {
  const ScoredHalf& half = halves[i];
  const Episode& episode = *half.candidate.episode;
  turn.sequence = episode.sequence;
  turn.session = episode.session_id;
  if (episode.role == Role::kAssistant) {
    turn.assistant = i;
    turn.assistant_lexical = half.lexical;
    return;
  }
  turn.user = i;
  turn.user_lexical = half.lexical;
  turn.speaker = episode.speaker;
  const EpisodeReading* const reading = half.candidate.reading;
  turn.form = reading != nullptr ? reading->form : QuestionFormOf(episode.text);
  turn.dated = !episode.event_times.empty();
  turn.in_asked_time = turn.dated && SpeaksOf(episode, question.times);
}

// Session by session, and within each as they were said.
std::vector<Turn> JoinTurns(const Question& question, const std::vector<ScoredHalf>& halves) {
  struct Place {
    std::size_t session;
    std::int64_t sequence;  // Which is the turn's own.
    std::size_t half;

    auto operator<=>(const Place&) const = default;
  };

  std::unordered_map<std::string_view, std::size_t> numbers;
  std::vector<Place> order;
  order.reserve(halves.size());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const Episode& episode = *halves[i].candidate.episode;
    const std::size_t number = numbers.emplace(episode.session_id, numbers.size()).first->second;
    order.push_back({number, episode.sequence, i});
  }
  std::sort(order.begin(), order.end());
  std::vector<Turn> turns;
  turns.reserve(halves.size());
  for (const Place& place : order) {
    if (turns.empty() || turns.back().sequence != place.sequence) {
      turns.emplace_back();
    }
    AddHalf(question, halves, place.half, turns.back());
  }
  return turns;
}

// Neighbours in the sorted list are neighbours in the session wherever it matters: the store brings
// the turn before and the two behind every one that matched, and one that did not gives nothing.
double NeighboursOf(const std::vector<Turn>& turns, std::size_t i) {
  const auto worth = [&](std::size_t other) {
    return turns[i].session == turns[other].session
               ? turns[other].Closed() * turns[other].user_lexical
               : 0.0;
  };
  double score = 0;
  if (i >= 1) {
    const bool answered = turns[i - 1].Asks() && turns[i - 1].speaker != turns[i].speaker;
    score += (kPrevious + (answered ? kPreviousAsked : 0)) * worth(i - 1);
  }
  if (i >= 2) {
    score += kBeforePrevious * worth(i - 2);
  }
  if (i + 1 < turns.size()) {
    score += kNext * worth(i + 1);
  }
  return score;
}

// Of the session that begins at `first`.
double BestOfSession(const std::vector<Turn>& turns, std::size_t first) {
  double best = 0;
  for (std::size_t i = first; i < turns.size() && turns[i].session == turns[first].session; ++i) {
    best = std::max(best, turns[i].user_lexical);
  }
  return best;
}

// Fills in the parts of every turn's user half, without the factor.
void ReadInContext(const std::vector<ScoredHalf>& halves, double rarest_term,
                   std::vector<Turn>& turns) {
  double session_best = 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    Turn& turn = turns[i];
    if (i == 0 || turns[i - 1].session != turn.session) {
      session_best = BestOfSession(turns, i);
    }
    const double asks = turn.form == QuestionForm::kBare         ? kBareQuestion
                        : turn.Asks() && turn.assistant == kNone ? kOnlyAsks
                                                                 : 1.0;
    ScoreParts& parts = turn.parts;
    parts.words = asks * turn.user_lexical;
    parts.other_half = asks * kOtherHalf * turn.assistant_lexical;
    parts.neighbours = asks * NeighboursOf(turns, i);
    const double likeness = turn.user == kNone ? 0 : halves[turn.user].likeness;
    if (parts.Score() > 0 || likeness >= kLikenessAlone) {
      parts.meaning = asks * kMeaning * rarest_term * likeness;
    }
    if (parts.Score() > 0) {
      parts.time = turn.in_asked_time ? kInAskedTime * rarest_term : 0;
      parts.session = kSession * session_best;
    }
  }
}

// From the turns to their halves.
void ScoreHalves(const Question& question, const std::set<std::string>& named, double rarest_term,
                 std::vector<Turn>& turns, std::vector<ScoredHalf>& halves) {
  for (Turn& turn : turns) {
    const double turn_score = turn.parts.Score();
    if (turn.user != kNone) {
      const bool speaks = named.contains(std::string(turn.speaker));
      turn.parts.named = speaks ? kNamedSpeaker : 1.0;
      turn.parts.dated = question.asks_when && turn.dated ? kDated : 1.0;
      halves[turn.user].parts = turn.parts;
      halves[turn.user].score = turn.parts.Score();
    }
    // The assistant's half needs something of its own: a long answer to a good turn is no evidence.
    if (turn.assistant == kNone) {
      continue;
    }
    ScoredHalf& half = halves[turn.assistant];
    if (half.lexical > 0 || half.likeness >= kLikenessAlone) {
      half.parts.words = kAssistant * half.lexical;
      half.parts.meaning = kAssistant * kMeaning * rarest_term * half.likeness;
      half.parts.turn = kAssistant * turn_score;
      half.score = half.parts.Score();
    }
  }
}

}  // namespace

double RarestTerm(const CorpusStatistics& statistics) {
  return std::log(1 + (std::max(static_cast<double>(statistics.documents), 1.0) - 0.5) / 1.5);
}

TermWeights WeighTerms(const Question& question, const CorpusStatistics& statistics) {
  TermWeights terms;
  terms.length_mean = std::max(statistics.length_mean, 1.0);
  terms.stands_for = question.stands_for;
  const auto documents = static_cast<double>(statistics.documents);
  std::vector<double> idf(question.terms.size(), 1.0);
  for (std::size_t i = 0; i < std::min(idf.size(), statistics.document_frequency.size()); ++i) {
    const double frequency =
        std::min(static_cast<double>(statistics.document_frequency[i]), documents);
    idf[i] = std::log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
  }
  for (std::size_t i = 0; i < idf.size(); ++i) {
    const std::size_t asked = question.stands_for[i];
    terms.weights.push_back(question.term_weights[i] * std::min(idf[i], idf[asked]));
    terms.total += asked == i ? terms.weights[i] : 0;
  }
  return terms;
}

LexicalScore ScoreText(const TermWeights& terms, const std::vector<std::uint32_t>& term_counts,
                       std::uint32_t length, double b) {
  LexicalScore score;
  const double saturation = kSaturation * (1 - b + b * length / terms.length_mean);
  double held = 0;
  std::array<double, kQuestionTermsMax> in_place_of{};  // The best that stands for a missing term.
  const std::size_t size = std::min({term_counts.size(), terms.weights.size(), in_place_of.size()});
  for (std::size_t i = 0; i < size; ++i) {
    if (term_counts[i] == 0) {
      continue;
    }
    const double count = term_counts[i];
    const double worth = terms.weights[i] * count * (kSaturation + 1) / (count + saturation);
    const std::size_t asked = terms.stands_for[i];
    if (asked == i) {
      score.bm25 += worth;
      held += terms.weights[i];
    } else if (term_counts[asked] == 0 && worth > in_place_of[asked]) {
      score.bm25 += worth - in_place_of[asked];
      held += in_place_of[asked] == 0 ? terms.weights[i] : 0;
      in_place_of[asked] = worth;
    }
  }
  score.share = terms.total > 0 ? std::min(held / terms.total, 1.0) : 0;
  return score;
}

TurnScores ScoreTurns(const Question& question, EpisodesFound episodes, EpisodesFound pending,
                      std::optional<Timestamp> as_of) {
  TurnScores result;
  std::vector<ScoredHalf> halves = Gather(question, episodes, pending, as_of);
  AddStatistics(pending.statistics, episodes.statistics);
  AddStatistics(pending.assistant_statistics, episodes.assistant_statistics);

  const std::set<std::string> named = NamedSpeakers(question, halves);
  Question asked = question;
  result.speaker_terms.resize(question.terms.size());
  for (const std::string& speaker : named) {
    for (const std::string& term : AnalyzeName(speaker)) {
      for (std::size_t i = 0; i < asked.terms.size(); ++i) {
        if (asked.terms[i] == term) {
          asked.term_weights[i] = 0;
          result.speaker_terms[i] = true;
        }
      }
    }
  }
  if (std::all_of(asked.term_weights.begin(), asked.term_weights.end(),
                  [](double weight) { return weight <= 0; })) {
    asked = question;  // Nothing but names: then they are what is asked about.
  }
  result.user_terms = WeighTerms(asked, episodes.statistics);
  const bool assistant_known = !episodes.assistant_statistics.document_frequency.empty();
  ScoreWords(question, result.user_terms,
             assistant_known ? WeighTerms(asked, episodes.assistant_statistics) : result.user_terms,
             halves);

  CompareMeanings(halves);
  std::vector<Turn> turns = JoinTurns(question, halves);
  const double rarest_term = RarestTerm(episodes.statistics);
  ReadInContext(halves, rarest_term, turns);
  ScoreHalves(question, named, rarest_term, turns, halves);
  std::erase_if(halves, [](const ScoredHalf& half) { return half.score <= 0; });
  result.halves = std::move(halves);
  return result;
}

}  // namespace umbranet
