// A language model behind any server of the OpenAI chat completions API: OpenAI itself, Azure,
// vLLM, llama.cpp, Ollama and their like.
//
// All methods may be called from any thread, as many at once as there are connections. Every
// failure is classified as ports/language_model.h says; openai_errors.h has the table. The API key
// stands in no message, and the messages of a conversation in no error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "umbranet/adapters/openai/chat_completion_codec.h"
#include "umbranet/adapters/openai/openai_errors.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/net/http_client.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

class OpenAiLanguageModel final : public LanguageModel {
 public:
  struct Options {
    std::string base_url = {};  // Empty: OpenAI's own, which needs a key.
    std::string api_key = {};   // Empty: the server needs none.
    std::string model = "gpt-4o-mini";
    std::string ca_file = {};  // PEM; empty: the system's certificate authorities.

    Millis connect_timeout{5'000};
    Millis write_timeout{10'000};
    // A model that thinks first is silent for long, before the answer and within.
    Millis first_byte_timeout{60'000};
    Millis idle_timeout{60'000};
    Millis probe_timeout{3'000};

    std::size_t connections_max = 600;
    Millis keep_idle_for{30'000};
    std::size_t answer_bytes_max = std::size_t{64} << 20U;  // As sent, framing included.

    // Tries of one call, the first included. The pause before try n + 1 is backoff_first * 2^(n-1),
    // at most backoff_max, less up to a half by chance so that clients do not return in step, and
    // never shorter than the server's Retry-After. A longer wait than retry_after_max is left to
    // the caller, who learns of it.
    int attempts_max = 3;
    Millis backoff_first{500};
    Millis backoff_max{8'000};
    Millis retry_after_max{15'000};
  };

  // kInvalidArgument: a URL or key that cannot be, with a sentence that says what to write.
  static Result<std::unique_ptr<OpenAiLanguageModel>> Open(Options options, const Clock& clock);

  Result<Completion> Complete(const CompletionRequest& request, std::stop_token stop,
                              Deadline deadline) override;
  Result<Completion> Stream(const CompletionRequest& request, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline) override;

  [[nodiscard]] std::string_view Name() const override { return options_.model; }

  // GET /models. A server that answers without having that route is reachable all the same.
  Status Probe(Deadline deadline) override;

 private:
  using Attempt = std::variant<Completion, CompletionFailure>;

  OpenAiLanguageModel(Options options, const Clock& clock, std::unique_ptr<HttpClient> client);

  // Tries until an attempt answers, fails for good, or there is no time for another.
  Result<Completion> Retry(const std::function<Attempt()>& attempt, std::stop_token stop,
                           Deadline deadline);
  // False: stopped meanwhile.
  bool Pause(Millis duration, std::stop_token stop);
  [[nodiscard]] Millis Backoff(int failures) const;

  // Asks, and asks again in another dialect when the server refuses a parameter.
  std::variant<HttpExchange, CompletionFailure> Ask(const CompletionRequest& request, bool stream,
                                                    std::stop_token stop, Deadline deadline);
  Attempt ReadAnswer(HttpExchange& exchange, const DeltaSink& sink, std::stop_token stop,
                     Deadline deadline);
  Result<Completion> Answer(const CompletionRequest& request, bool stream, const DeltaSink& sink,
                            std::stop_token stop, Deadline deadline);

  [[nodiscard]] CompletionDialect Dialect() const;
  void SetDialect(const CompletionDialect& dialect);

  [[nodiscard]] ModelAddress Address() const {
    return {options_.model, options_.base_url, options_.api_key};
  }

  const Options options_;
  const Clock& clock_;
  const std::string authorization_;  // The header's value; empty without a key.
  const std::unique_ptr<HttpClient> client_;
  mutable Mutex mutex_;
  ConditionVariable pausing_;
  CompletionDialect dialect_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
