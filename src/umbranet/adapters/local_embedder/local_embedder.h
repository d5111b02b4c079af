// An embedder in this process: a small sentence model of the BERT family through ONNX Runtime.
//
// All methods may be called from any thread. A question is worked out on the calling thread,
// passages on threads that run when no other wants to: several for a larger batch, since the turns
// of one user come a batch at a time. At most Options::threads are at work on passages, and as many
// on questions, so that a question never waits behind a backlog. The model is read at the first
// use, by a thread of its own: a caller whose deadline ends before that gets kDeadlineExceeded, and
// one of the next finds it ready. Until then it costs no memory.
//
// Failures: kDeadlineExceeded, also between the parts of a large batch; kInvalidArgument for good
// when the model cannot be used, which a file that is damaged shows only at the first use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "umbranet/adapters/local_embedder/background_pace.h"
#include "umbranet/adapters/local_embedder/model_folder.h"
#include "umbranet/adapters/local_embedder/onnx_runtime.h"
#include "umbranet/adapters/local_embedder/wordpiece_tokenizer.h"
#include "umbranet/base/answers_under_way.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/embedder.h"

namespace umbranet {

class LocalEmbedder final : public Embedder {
 public:
  struct Options {
    std::string folder;  // model_folder.h says what it holds.
    std::size_t threads = 2;
    // Tokens that go through the model together, padding included, so that a deadline is looked at
    // often and the memory of a run stays small. A single longer text goes alone.
    std::size_t batch_tokens_max = 512;
    // Passages wait for a gap between these, for two seconds at the most. May be null; must outlive
    // the embedder.
    AnswersUnderWay* answers = nullptr;
  };

  // Looks whether everything is there, in well under a millisecond; reads nothing large.
  // kNotFound: not everything is. kInvalidArgument: the folder's description is malformed.
  static Result<std::unique_ptr<LocalEmbedder>> Open(Options options);

  ~LocalEmbedder() override;

  [[nodiscard]] const std::string& space() const override { return space_; }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override;
  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override;
  [[nodiscard]] bool ReadyAtOnce() override;

 private:
  struct Model {
    WordPieceTokenizer tokenizer;
    std::unique_ptr<OnnxSession> session;
  };

  // How many threads may be at work; taken and given back by a Place.
  struct Places {
    std::size_t free = 0;
  };

  LocalEmbedder(Options options, ModelFolder folder);

  Result<const Model*> LoadedModel(Deadline deadline);
  enum class Awaited : std::uint8_t { kNo, kYes };
  void BeginLoading(Awaited awaited) REQUIRES(mutex_);
  void Load();
  // Vectors for `texts` in their order, `prefix` put before each: passages on `threads` of
  // their own, a question on the calling one.
  Result<std::vector<Embedding>> Embed(std::span<const std::string_view> texts,
                                       std::string_view prefix, Places& places, std::size_t threads,
                                       Deadline deadline);
  // `which` of the texts, into their places in `vectors`.
  Status EmbedBatch(const Model& model, std::span<const std::size_t> which,
                    const std::vector<std::vector<TokenId>>& tokens, Places& places,
                    Deadline deadline, std::vector<Embedding>& vectors);
  // Runs `embed` on threads of its own that give way to answers, and waits for them.
  void EmbedBesides(std::size_t threads, const std::function<void(std::size_t)>& embed);
  // Passages give way to answers, questions are part of one.
  Result<HiddenStates> RunModel(const Model& model, TokenBatch& batch, Places& places,
                                Deadline deadline);
  Status Take(Places& places, Deadline deadline);
  void GiveBack(Places& places);

  const Options options_;
  const ModelFolder folder_;
  const std::string space_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool loading_ GUARDED_BY(mutex_) = false;
  bool loaded_ GUARDED_BY(mutex_) = false;
  Status load_outcome_ GUARDED_BY(mutex_);
  std::unique_ptr<const Model> model_ GUARDED_BY(mutex_);
  Places passage_places_;  // Both: under mutex_, see Take and GiveBack.
  Places question_places_;
  BackgroundPace pace_;  // Of the threads that embed passages: they can wait, answers cannot.
  std::jthread loader_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
