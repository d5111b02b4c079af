#include "umbranet/adapters/openai/openai_embedder.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stop_token>
#include <utility>

#include "umbranet/adapters/openai/embeddings_codec.h"
#include "umbranet/base/utf8.h"
#include "umbranet/net/url.h"

namespace umbranet {
namespace {

constexpr std::string_view kOpenAiUrl = "https://api.openai.com/v1";

bool IsKeyText(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

Result<std::unique_ptr<OpenAiEmbedder>> OpenAiEmbedder::Open(Options options, const Clock& clock) {
  if (options.base_url.empty()) {
    if (options.api_key.empty()) {
      return InvalidArgument(
          "openai: set EMBEDDING_API_KEY, or EMBEDDING_BASE_URL to a server that needs no key");
    }
    options.base_url = kOpenAiUrl;
  }
  if (!IsKeyText(options.api_key)) {
    return InvalidArgument(
        "openai: EMBEDDING_API_KEY holds a space, a line break or a letter outside ASCII");
  }
  if (options.model.empty() || options.attempts_max < 1 || options.texts_max < 1) {
    return InvalidArgument("openai: EMBEDDING_MODEL must name a model");
  }
  Result<Url> url = ParseUrl(options.base_url);
  if (!url.ok()) {
    return InvalidArgument("openai: EMBEDDING_BASE_URL is not usable: " + url.error().message);
  }
  HttpClient::Options http;
  http.base = std::move(url).value();
  http.connect_timeout = options.connect_timeout;
  http.write_timeout = options.write_timeout;
  http.first_byte_timeout = options.first_byte_timeout;
  http.idle_timeout = options.idle_timeout;
  http.connections_max = options.connections_max;
  http.limits.body_bytes_max = options.answer_bytes_max;
  http.ca_file = options.ca_file;
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client,
                            HttpClient::Open(std::move(http), clock));
  return std::unique_ptr<OpenAiEmbedder>(
      new OpenAiEmbedder(std::move(options), clock, std::move(client)));
}

OpenAiEmbedder::OpenAiEmbedder(Options options, const Clock& clock,
                               std::unique_ptr<HttpClient> client)
    : options_(std::move(options)),
      clock_(clock),
      authorization_(options_.api_key.empty() ? "" : "Bearer " + options_.api_key),
      client_(std::move(client)) {}

bool OpenAiEmbedder::Pause(Millis duration, Deadline deadline) {
  if (deadline.Remaining() <= duration) {
    return false;
  }
  const SteadyTime until = clock_.SteadyNow() + duration;
  MutexLock lock(mutex_);
  while (clock_.SteadyNow() < until) {
    pausing_.WaitUntil(mutex_, until);
  }
  return true;
}

OpenAiEmbedder::Attempt OpenAiEmbedder::Ask(std::span<const std::string_view> texts,
                                            Deadline deadline) {
  const ModelAddress address{options_.model, options_.base_url, options_.api_key, "EMBEDDING"};
  const std::string body = WriteEmbeddingsRequest(texts, options_.model);
  ClientRequest request{.method = "POST",
                        .target = "/embeddings",
                        .headers = {{"Content-Type", "application/json"}},
                        .body = body};
  if (!authorization_.empty()) {
    request.headers.emplace_back("Authorization", authorization_);
  }
  Result<ClientResponse> response = client_->Send(request, std::stop_token(), deadline);
  if (!response.ok()) {
    return ExplainTransport(std::move(response).error(), false);
  }
  if (response->head.status != 200) {
    return ExplainStatus(response->head, response->body, address, clock_.Now());
  }
  if (const std::optional<ServerError> said = ReadServerError(response->body)) {
    return ExplainServerError(*said, address);
  }
  Result<std::vector<Embedding>> vectors = ReadEmbeddings(response->body, texts.size());
  if (!vectors.ok()) {
    return CompletionFailure{std::move(vectors).error(), false};
  }
  return std::move(vectors).value();
}

Result<std::vector<Embedding>> OpenAiEmbedder::AskUntilAnswered(
    std::span<const std::string_view> texts, Deadline deadline) {
  for (int failures = 0;;) {
    Attempt attempt = Ask(texts, deadline);
    if (auto* vectors = std::get_if<std::vector<Embedding>>(&attempt)) {
      return std::move(*vectors);
    }
    auto& failure = std::get<CompletionFailure>(attempt);
    ++failures;
    const Millis pause = failure.error.retry_after.value_or(
        options_.backoff_first * (std::int64_t{1} << std::min(failures - 1, 10)));
    if (!failure.retryable || failures >= options_.attempts_max || !Pause(pause, deadline)) {
      return std::move(failure.error);
    }
  }
}

Result<std::vector<Embedding>> OpenAiEmbedder::EmbedPassages(
    std::span<const std::string_view> texts, Deadline deadline) {
  std::vector<std::string_view> beginnings;
  beginnings.reserve(texts.size());
  for (const std::string_view text : texts) {
    beginnings.push_back(TruncateUtf8(text, options_.text_bytes_max));
  }
  std::vector<Embedding> all;
  all.reserve(texts.size());
  for (std::span<const std::string_view> rest(beginnings); !rest.empty();) {
    const auto part = rest.first(std::min(rest.size(), options_.texts_max));
    UMBRANET_ASSIGN_OR_RETURN(std::vector<Embedding> vectors, AskUntilAnswered(part, deadline));
    if (!all.empty() && all.front().size() != vectors.front().size()) {
      return Error{ErrorCode::kBadGateway, "openai: the model answers in vectors of two sizes"};
    }
    std::move(vectors.begin(), vectors.end(), std::back_inserter(all));
    rest = rest.subspan(part.size());
  }
  return all;
}

Result<Embedding> OpenAiEmbedder::EmbedQuestion(std::string_view question, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Embedding> vectors,
                            EmbedPassages(std::span(&question, 1), deadline));
  return std::move(vectors.front());
}

}  // namespace umbranet
