// What turning texts into vectors costs on one thread: questions, short turns, long answers, and
// many at once, with the model that scripts/setup fetched. Without one it says so and measures
// nothing.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "umbranet/adapters/local_embedder/local_embedder.h"

namespace {

// About so many tokens, all of them common words.
std::string Speech(std::size_t words) {
  static constexpr std::string_view kWords[] = {"the", "garden", "was", "full", "of",  "people",
                                                "who", "came",   "to",  "hear", "her", "play"};
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    text += std::string(kWords[(i * 7 + i / 5) % std::size(kWords)]) + ' ';
  }
  return text;
}

umbranet::Embedder& Embedder() {
  static const std::unique_ptr<umbranet::LocalEmbedder> embedder = [] {
    auto opened = umbranet::LocalEmbedder::Open({.folder = umbranet::DefaultModelFolder()});
    return opened.ok() ? std::move(opened).value() : nullptr;
  }();
  return *embedder;
}

void Question(benchmark::State& state) {
  const std::string text = Speech(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Embedder().EmbedQuestion(text, umbranet::Deadline::Never()));
  }
}

// One text of so many words.
void Passage(benchmark::State& state) {
  const std::string text = Speech(static_cast<std::size_t>(state.range(0)));
  const std::string_view view(text);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Embedder().EmbedPassages(std::span(&view, 1), umbranet::Deadline::Never()));
  }
}

// Ten turns of 20 to 38 words, as a batch of reflection has them.
void TenTurns(benchmark::State& state) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 10; ++i) {
    texts.push_back(Speech(20 + 2 * i));
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (auto _ : state) {
    benchmark::DoNotOptimize(Embedder().EmbedPassages(views, umbranet::Deadline::Never()));
  }
  state.SetItemsProcessed(state.iterations() * 10);
}

BENCHMARK(Question)->Arg(5)->Arg(15)->Unit(benchmark::kMillisecond);
BENCHMARK(Passage)->Arg(28)->Arg(62)->Arg(126)->Arg(1'000)->Unit(benchmark::kMillisecond);
BENCHMARK(TenTurns)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  const auto opened = umbranet::LocalEmbedder::Open({.folder = umbranet::DefaultModelFolder()});
  if (!opened.ok()) {
    std::fprintf(stderr, "%s; run scripts/setup\n", opened.error().message.c_str());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
