#include "umbranet/adapters/openai/openai_language_model.h"

#include <algorithm>
#include <random>
#include <utility>

#include "umbranet/adapters/openai/streamed_answer.h"
#include "umbranet/net/sse_parser.h"
#include "umbranet/net/url.h"

namespace umbranet {
namespace {

constexpr std::string_view kOpenAiUrl = "https://api.openai.com/v1";
// Of a refusal; more says nothing more.
constexpr std::size_t kRefusalBytesMax = std::size_t{64} << 10U;
// stream_options, max_tokens and temperature may each be refused once, and an answer's form twice.
constexpr int kDialectsMax = 6;

bool IsKeyText(std::string_view key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool IsEventStream(const HttpResponseHead& head) {
  return head.Header("content-type").find("event-stream") != std::string_view::npos;
}

// What a body that is not called an event stream looks like at its start.
bool LooksLikeEvents(std::string_view body) {
  const std::size_t at = body.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && body[at] != '{' && body[at] != '[' && body[at] != '<';
}

// Every whole event that the parser holds.
StreamedAnswer::State TakeEvents(SseParser& parser, StreamedAnswer& answer) {
  StreamedAnswer::State state = StreamedAnswer::State::kOpen;
  while (state == StreamedAnswer::State::kOpen) {
    const auto event = parser.Next();
    if (!event.ok()) {
      return answer.Break(event.error(), true);
    }
    if (!event->has_value()) {
      break;
    }
    state = answer.Take((*event)->data);
  }
  return state;
}

// The start of a body, read for the error in it; what fails meanwhile leaves it shorter.
std::string ReadRefusal(HttpExchange& exchange, Deadline deadline) {
  std::string body;
  while (body.size() < kRefusalBytesMax) {
    Result<std::string_view> part = exchange.Read(deadline);
    if (!part.ok() || part->empty()) {
      break;
    }
    body += *part;
  }
  return body;
}

}  // namespace

Result<std::unique_ptr<OpenAiLanguageModel>> OpenAiLanguageModel::Open(Options options,
                                                                       const Clock& clock) {
  if (options.base_url.empty()) {
    if (options.api_key.empty()) {
      return InvalidArgument(
          "openai: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server that needs no key");
    }
    options.base_url = kOpenAiUrl;
  }
  if (!IsKeyText(options.api_key)) {
    return InvalidArgument(
        "openai: OPENAI_API_KEY holds a space, a line break or a letter outside ASCII");
  }
  if (options.model.empty() || options.attempts_max < 1) {
    return InvalidArgument("openai: OPENAI_MODEL must name a model");
  }
  Result<Url> url = ParseUrl(options.base_url);
  if (!url.ok()) {
    return InvalidArgument("openai: OPENAI_BASE_URL is not usable: " + url.error().message);
  }
  HttpClient::Options http;
  http.base = std::move(url).value();
  http.connect_timeout = options.connect_timeout;
  http.write_timeout = options.write_timeout;
  http.first_byte_timeout = options.first_byte_timeout;
  http.idle_timeout = options.idle_timeout;
  http.keep_idle_for = options.keep_idle_for;
  http.connections_max = options.connections_max;
  http.limits.body_bytes_max = options.answer_bytes_max;
  http.ca_file = options.ca_file;
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client,
                            HttpClient::Open(std::move(http), clock));
  return std::unique_ptr<OpenAiLanguageModel>(
      new OpenAiLanguageModel(std::move(options), clock, std::move(client)));
}

OpenAiLanguageModel::OpenAiLanguageModel(Options options, const Clock& clock,
                                         std::unique_ptr<HttpClient> client)
    : options_(std::move(options)),
      clock_(clock),
      authorization_(options_.api_key.empty() ? "" : "Bearer " + options_.api_key),
      client_(std::move(client)) {}

CompletionDialect OpenAiLanguageModel::Dialect() const {
  MutexLock lock(mutex_);
  return dialect_;
}

void OpenAiLanguageModel::SetDialect(const CompletionDialect& dialect) {
  MutexLock lock(mutex_);
  dialect_ = dialect;
}

Millis OpenAiLanguageModel::Backoff(int failures) const {
  thread_local std::minstd_rand random{std::random_device{}()};
  const Millis whole =
      std::min(options_.backoff_first * (std::int64_t{1} << std::min(failures - 1, 20)),
               options_.backoff_max);
  return whole - Millis{std::uniform_int_distribution<std::int64_t>(0, whole.count() / 2)(random)};
}

bool OpenAiLanguageModel::Pause(Millis duration, std::stop_token stop) {
  const SteadyTime until = clock_.SteadyNow() + duration;
  MutexLock lock(mutex_);
  while (!stop.stop_requested() && clock_.SteadyNow() < until) {
    pausing_.WaitUntil(mutex_, stop, until);
  }
  return !stop.stop_requested();
}

Result<Completion> OpenAiLanguageModel::Retry(const std::function<Attempt()>& attempt,
                                              std::stop_token stop, Deadline deadline) {
  for (int failures = 0;;) {
    Attempt outcome = attempt();
    if (auto* completion = std::get_if<Completion>(&outcome)) {
      return std::move(*completion);
    }
    CompletionFailure& failure = std::get<CompletionFailure>(outcome);
    ++failures;
    const Millis asked = failure.error.retry_after.value_or(Millis{0});
    const Millis pause = std::max(Backoff(failures), asked);
    if (!failure.retryable || failures >= options_.attempts_max ||
        asked > options_.retry_after_max || pause >= deadline.Remaining()) {
      return std::move(failure.error);
    }
    if (!Pause(pause, stop)) {
      return Error{ErrorCode::kCancelled, "openai: stopped"};
    }
  }
}

std::variant<HttpExchange, CompletionFailure> OpenAiLanguageModel::Ask(
    const CompletionRequest& request, bool stream, std::stop_token stop, Deadline deadline) {
  ClientRequest http{.method = "POST", .target = "/chat/completions"};
  http.headers = {{"Content-Type", "application/json"},
                  {"Accept", stream ? "text/event-stream" : "application/json"}};
  if (!authorization_.empty()) {
    http.headers.emplace_back("Authorization", authorization_);
  }
  for (int dialects = 1;; ++dialects) {
    const CompletionDialect dialect = Dialect();
    const std::string body = WriteCompletionRequest(request, options_.model, stream, dialect);
    http.body = body;
    Result<HttpExchange> exchange = client_->Start(http, stop, deadline);
    if (!exchange.ok()) {
      return ExplainTransport(exchange.error(), false);
    }
    const HttpResponseHead& head = exchange->head();
    if (head.status == 200) {
      return std::move(*exchange);
    }
    const std::string refusal = ReadRefusal(*exchange, deadline);
    const auto adapted =
        AdaptDialect(head.status, refusal, dialect, request.answer_schema.has_value());
    if (!adapted || dialects >= kDialectsMax) {
      return ExplainStatus(head, refusal, Address(), clock_.Now());
    }
    SetDialect(*adapted);
  }
}

OpenAiLanguageModel::Attempt OpenAiLanguageModel::ReadAnswer(HttpExchange& exchange,
                                                             const DeltaSink& sink,
                                                             std::stop_token stop,
                                                             Deadline deadline) {
  using State = StreamedAnswer::State;
  StreamedAnswer answer(sink, std::move(stop), Address());
  SseParser parser;
  // Servers and proxies send one where the other was asked for, and call it by any name.
  std::optional<bool> events;
  if (IsEventStream(exchange.head())) {
    events = true;
  }
  std::string whole;  // A body that is no event stream.
  State state = State::kOpen;
  while (state == State::kOpen) {
    Result<std::string_view> part = exchange.Read(deadline);
    if (!part.ok()) {
      state = answer.Break(part.error(), !whole.empty());
      break;
    }
    if (part->empty()) {
      state = whole.empty() ? State::kOpen : answer.Take(whole);
      state = state == State::kOpen ? answer.End() : state;
      break;
    }
    if (!events.has_value() && part->find_first_not_of(" \t\r\n") != std::string_view::npos) {
      events = LooksLikeEvents(*part);
    }
    if (events.value_or(false)) {
      parser.Append(*part);
      state = TakeEvents(parser, answer);
    } else {
      whole += *part;
    }
  }
  if (state == State::kFailed) {
    return answer.TakeFailure();
  }
  if (state == State::kDone) {
    exchange.Finish();
  }
  return answer.TakeCompletion();
}

Result<Completion> OpenAiLanguageModel::Answer(const CompletionRequest& request, bool stream,
                                               const DeltaSink& sink, std::stop_token stop,
                                               Deadline deadline) {
  const auto attempt = [&]() -> Attempt {
    auto asked = Ask(request, stream, stop, deadline);
    if (auto* failure = std::get_if<CompletionFailure>(&asked)) {
      return std::move(*failure);
    }
    return ReadAnswer(std::get<HttpExchange>(asked), sink, stop, deadline);
  };
  return Retry(attempt, stop, deadline);
}

Result<Completion> OpenAiLanguageModel::Complete(const CompletionRequest& request,
                                                 std::stop_token stop, Deadline deadline) {
  const DeltaSink keep_all = [](std::string_view) { return true; };
  return Answer(request, false, keep_all, std::move(stop), deadline);
}

Result<Completion> OpenAiLanguageModel::Stream(const CompletionRequest& request,
                                               const DeltaSink& sink, std::stop_token stop,
                                               Deadline deadline) {
  return Answer(request, true, sink, std::move(stop), deadline);
}

Status OpenAiLanguageModel::Probe(Deadline deadline) {
  ClientRequest http{.method = "GET", .target = "/models"};
  if (!authorization_.empty()) {
    http.headers.emplace_back("Authorization", authorization_);
  }
  const Deadline soon = deadline.Within(clock_, options_.probe_timeout);
  Result<HttpExchange> exchange = client_->Start(http, {}, soon);
  if (!exchange.ok()) {
    return ExplainTransport(exchange.error(), false).error;
  }
  const int status = exchange->head().status;
  if ((status >= 200 && status < 300) || status == 404 || status == 405) {
    // The list may be long and nobody reads it: with a little luck it has come by now.
    (void)ReadRefusal(*exchange, soon);
    return {};
  }
  const std::string refusal = ReadRefusal(*exchange, soon);
  return ExplainStatus(exchange->head(), refusal, Address(), clock_.Now()).error;
}

}  // namespace umbranet
