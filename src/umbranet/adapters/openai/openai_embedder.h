// An embedder behind any server of the OpenAI embeddings API: OpenAI itself, vLLM, llama.cpp,
// Ollama and their like.
//
// All methods may be called from any thread, as many at once as there are connections. Failures are
// classified as the language model's are, see openai_errors.h, and what may pass is tried again
// while the deadline allows. The API key stands in no message, and the texts in no error.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "umbranet/adapters/openai/openai_errors.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/net/http_client.h"
#include "umbranet/ports/embedder.h"

namespace umbranet {

class OpenAiEmbedder final : public Embedder {
 public:
  struct Options {
    std::string base_url = {};  // Empty: OpenAI's own, which needs a key.
    std::string api_key = {};   // Empty: the server needs none.
    std::string model = "text-embedding-3-small";
    std::string ca_file = {};  // PEM; empty: the system's certificate authorities.

    Millis connect_timeout{5'000};
    Millis write_timeout{10'000};
    Millis first_byte_timeout{30'000};
    Millis idle_timeout{10'000};
    std::size_t connections_max = 16;

    // Of one request. A text's beginning stands for it: models of this kind read some hundred
    // tokens well, and refuse a text beyond their limit.
    std::size_t texts_max = 64;
    std::size_t text_bytes_max = 4'096;
    std::size_t answer_bytes_max = std::size_t{16} << 20U;

    // Tries of one request, the first included. The pause before the next is the server's
    // Retry-After, or backoff_first doubled for each try.
    int attempts_max = 3;
    Millis backoff_first{250};
  };

  // kInvalidArgument: a URL or key that cannot be, with a sentence that says what to write.
  static Result<std::unique_ptr<OpenAiEmbedder>> Open(Options options, const Clock& clock);

  // The model's name: the same model at another server is the same space.
  [[nodiscard]] const std::string& space() const override { return options_.model; }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override;
  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override;

 private:
  using Attempt = std::variant<std::vector<Embedding>, CompletionFailure>;

  OpenAiEmbedder(Options options, const Clock& clock, std::unique_ptr<HttpClient> client);

  Attempt Ask(std::span<const std::string_view> texts, Deadline deadline);
  Result<std::vector<Embedding>> AskUntilAnswered(std::span<const std::string_view> texts,
                                                  Deadline deadline);
  // False: the deadline comes first.
  bool Pause(Millis duration, Deadline deadline);

  const Options options_;
  const Clock& clock_;
  const std::string authorization_;  // The header's value; empty without a key.
  const std::unique_ptr<HttpClient> client_;
  Mutex mutex_;
  ConditionVariable pausing_;
};

}  // namespace umbranet
