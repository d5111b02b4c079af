// An embedder that needs no model: each stem of a text is a direction of its own, chosen by a hash,
// and a text is the sum of its stems' directions. Texts that share words are near one another, the
// same text is always the same vector, and nothing is understood beyond that.
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/ports/embedder.h"

namespace umbranet {

class InMemoryEmbedder final : public Embedder {
 public:
  explicit InMemoryEmbedder(std::size_t dimensions = 64)
      : dimensions_(dimensions), space_("in-memory/" + std::to_string(dimensions)) {}

  [[nodiscard]] const std::string& space() const override { return space_; }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override;
  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override;

 private:
  [[nodiscard]] Embedding Embed(std::string_view text) const;

  const std::size_t dimensions_;
  const std::string space_;
};

}  // namespace umbranet
