// What recall's own judgement costs, without any store: reading a question, ranking the candidates
// that the tiers bring, packing the best into a prompt.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/prompt_context.h"
#include "umbranet/memory/ranking.h"

namespace {

constexpr std::size_t kVocabulary = 2'000;
constexpr std::size_t kQuestionWords = 8;
constexpr std::size_t kUserWords = 30;
constexpr std::size_t kAssistantWords = 400;

// Words are drawn so that few are common and most are rare, as in speech. One seed: the same texts
// in every run.
class Speech {
 public:
  std::string Say(std::size_t words) {
    std::string text;
    for (std::size_t i = 0; i < words; ++i) {
      const double place = std::pow(uniform_(random_), 3.0) * static_cast<double>(kVocabulary);
      text += "word" + std::to_string(static_cast<std::size_t>(place)) + ' ';
    }
    return text;
  }

 private:
  std::mt19937_64 random_{20240503};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

umbranet::EpisodesFound Candidates(const umbranet::Question& question, std::size_t turns,
                                   Speech& speech) {
  const umbranet::QuestionTermCounter counter(question);
  umbranet::EpisodesFound found;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (const umbranet::Role role : {umbranet::Role::kUser, umbranet::Role::kAssistant}) {
      const bool user = role == umbranet::Role::kUser;
      umbranet::EpisodeCandidate candidate;
      umbranet::Episode episode;
      episode.interaction_id = std::to_string(turn);
      episode.memory_id = std::to_string(turn) + (user ? "u" : "a");
      episode.role = role;
      episode.session_id = std::to_string(turn / 20);
      episode.sequence = static_cast<std::int64_t>(turn);
      episode.text = speech.Say(user ? kUserWords : kAssistantWords);
      umbranet::QuestionTermCounter::Counts counts;
      counter.Add(episode.text, counts);
      candidate.episode = std::make_shared<const umbranet::Episode>(std::move(episode));
      candidate.term_counts = std::move(counts.term_counts);
      candidate.length = counts.length;
      found.candidates.push_back(std::move(candidate));
    }
  }
  const auto fill = [&](umbranet::CorpusStatistics& statistics, double mean) {
    statistics.documents = 10'000;
    statistics.length_mean = mean;
    for (std::size_t i = 0; i < question.terms.size(); ++i) {
      statistics.document_frequency.push_back(50 * (i + 1));
    }
  };
  fill(found.statistics, kUserWords);
  fill(found.assistant_statistics, kAssistantWords);
  return found;
}

void RankCandidates(benchmark::State& state) {
  Speech speech;
  const umbranet::Question question = umbranet::ReadQuestion(speech.Say(kQuestionWords));
  const auto turns = static_cast<std::size_t>(state.range(0)) / 2;
  const umbranet::EpisodesFound found = Candidates(question, turns, speech);
  for (auto _ : state) {
    state.PauseTiming();
    umbranet::RankingInput input;
    input.episodes = found;  // Ranking takes its candidates; the copy is not its work.
    state.ResumeTiming();
    benchmark::DoNotOptimize(umbranet::RankMemories(question, std::move(input)));
  }
}

void PackBestTen(benchmark::State& state) {
  Speech speech;
  const umbranet::Question question = umbranet::ReadQuestion(speech.Say(kQuestionWords));
  umbranet::RankingInput input;
  input.episodes = Candidates(question, 100, speech);
  const std::vector<umbranet::RankedItem> items =
      umbranet::RankMemories(question, std::move(input));
  for (auto _ : state) {
    benchmark::DoNotOptimize(umbranet::PackContext(question, items, {}, {}, 2'000));
  }
}

void AnalyzeText(benchmark::State& state) {
  Speech speech;
  const std::string text = speech.Say(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(umbranet::AnalyzeTerms(text));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(RankCandidates)->Arg(400)->Arg(1'200)->Unit(benchmark::kMicrosecond);
BENCHMARK(PackBestTen)->Unit(benchmark::kMicrosecond);
BENCHMARK(AnalyzeText)->Arg(30)->Arg(1'000)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
