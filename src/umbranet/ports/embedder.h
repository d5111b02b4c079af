// Turns texts into vectors, so that what means the same is found though no word is shared.
//
// A vector belongs to the space of the model that made it: vectors of two models, or of two sizes,
// say nothing about one another and are never compared. All methods may be called from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Of length 1, so that the inner product of two is their cosine.
using Embedding = std::vector<float>;

class Embedder {
 public:
  virtual ~Embedder() = default;

  // Names the space: the model, and whatever else decides what its vectors mean. The same for the
  // life of the embedder, and the same again after a restart with the same model.
  [[nodiscard]] virtual const std::string& space() const = 0;

  // One vector for each text, in order, all of one size. All or none: kUnavailable,
  // kResourceExhausted and kDeadlineExceeded may be tried again; with kInvalidArgument or
  // kBadGateway the model itself is at fault, or refuses the texts. A long text is represented by
  // its beginning. A text that says nothing, and bytes that are none, make a vector as any other.
  // The company of other texts in a call may move a vector by rounding. No texts, no vectors.
  virtual Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                                       Deadline deadline) = 0;

  // A question, in the same space. Models that tell questions from passages are told here.
  virtual Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) = 0;

  // False: a question would have to wait for the model to be read first, which begins with this
  // call at the latest.
  [[nodiscard]] virtual bool ReadyAtOnce() { return true; }
};

}  // namespace umbranet
