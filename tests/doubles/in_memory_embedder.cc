#include "tests/doubles/in_memory_embedder.h"

#include <cmath>
#include <cstdint>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

// Read of a text, as with a model.
constexpr std::size_t kTermsMax = 128;

// FNV-1a, the same on every platform; std::hash promises no such thing.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

// SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
std::uint64_t Next(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t value = state;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

}  // namespace

Embedding InMemoryEmbedder::Embed(std::string_view text) const {
  std::vector<std::string> terms = AnalyzeTerms(text);
  if (terms.empty()) {
    terms.emplace_back();  // What says nothing is a direction too.
  }
  terms.resize(std::min(terms.size(), kTermsMax));
  Embedding vector(dimensions_, 0.0F);
  for (const std::string& term : terms) {
    std::uint64_t state = Hash(term);
    for (float& value : vector) {
      value += (Next(state) & 1U) != 0 ? 1.0F : -1.0F;
    }
  }
  double square = 0;
  for (const float value : vector) {
    square += static_cast<double>(value) * value;
  }
  if (square == 0) {  // Opposite directions met.
    vector[0] = 1.0F;
    square = 1;
  }
  for (float& value : vector) {
    value = static_cast<float>(value / std::sqrt(square));
  }
  return vector;
}

Result<std::vector<Embedding>> InMemoryEmbedder::EmbedPassages(
    std::span<const std::string_view> texts, Deadline deadline) {
  std::vector<Embedding> vectors;
  vectors.reserve(texts.size());
  for (const std::string_view text : texts) {
    if (deadline.Expired()) {
      return DeadlineExceeded("embedder: out of time");
    }
    vectors.push_back(Embed(text));
  }
  return vectors;
}

Result<Embedding> InMemoryEmbedder::EmbedQuestion(std::string_view question, Deadline deadline) {
  if (deadline.Expired()) {
    return DeadlineExceeded("embedder: out of time");
  }
  return Embed(question);
}

}  // namespace umbranet
