// An embedder that remembers the questions asked last: people repeat themselves, and one chat turn
// asks the same of every tier. Passages pass through, since hardly any is embedded twice.
//
// All methods may be called from any thread. Failures are not remembered.
#pragma once

#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/embedder.h"

namespace umbranet {

class CachingEmbedder final : public Embedder {
 public:
  struct Options {
    std::size_t entries_max = 512;
    // Longer questions are hardly ever repeated, and would make the cache's size a matter of luck.
    std::size_t question_bytes_max = 2'048;
  };

  // `inner` must outlive it.
  CachingEmbedder(Embedder& inner, Options options) : inner_(inner), options_(options) {}

  [[nodiscard]] const std::string& space() const override { return inner_.space(); }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override {
    return inner_.EmbedPassages(texts, deadline);
  }

  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override;

  [[nodiscard]] bool ReadyAtOnce() override { return inner_.ReadyAtOnce(); }

  // Drops all of them: whose question one was is not known. How many.
  std::size_t Clear();

 private:
  using Entries = std::list<std::pair<std::string, Embedding>>;  // Most recently asked first.

  Embedder& inner_;
  const Options options_;
  Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Entries::iterator> index_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
