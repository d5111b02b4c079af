// An embedder in memory that counts the questions it is asked, and can be away or not ready.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/ports/embedder.h"

#include "tests/doubles/in_memory_embedder.h"

namespace umbranet {

class CountingEmbedder final : public Embedder {
 public:
  [[nodiscard]] const std::string& space() const override { return twin_.space(); }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override {
    return twin_.EmbedPassages(texts, deadline);
  }

  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override {
    ++questions;
    if (away) {
      return Unavailable("embedder: away");
    }
    return twin_.EmbedQuestion(question, deadline);
  }

  [[nodiscard]] bool ReadyAtOnce() override { return ready; }

  std::atomic<int> questions = 0;
  std::atomic<bool> away = false;
  std::atomic<bool> ready = true;

 private:
  InMemoryEmbedder twin_;
};

}  // namespace umbranet
