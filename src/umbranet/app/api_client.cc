#include "umbranet/app/api_client.h"

#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/app/composition.h"
#include "umbranet/app/terminal.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/net/http_client.h"

namespace umbranet {
namespace {

namespace json = boost::json;

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kFailedPrecondition;
    case 429:
      return ErrorCode::kResourceExhausted;
    case 502:
      return ErrorCode::kBadGateway;
    case 503:
      return ErrorCode::kUnavailable;
    case 504:
      return ErrorCode::kDeadlineExceeded;
    default:
      return ErrorCode::kInternal;
  }
}

// What a problem document says, or the bare status when the answer is none.
Error ErrorOf(int status, std::string_view body) {
  boost::system::error_code error;
  const json::value problem = json::parse(body, error);
  std::string detail;
  if (!error && problem.is_object()) {
    detail = TextOf(problem.get_object(), "detail");
    if (detail.empty()) {
      detail = TextOf(problem.get_object(), "title");
    }
  }
  if (detail.empty()) {
    detail = "the server answered " + std::to_string(status);
  }
  return {CodeOfStatus(status), std::move(detail)};
}

class HttpApiClient final : public ApiClient {
 public:
  HttpApiClient(std::unique_ptr<HttpClient> client, const std::string& key, std::string where,
                std::unique_ptr<Application> own)
      : own_(std::move(own)),
        client_(std::move(client)),
        authorization_(key.empty() ? std::string() : "Bearer " + key),
        where_(std::move(where)) {}

  ~HttpApiClient() override {
    // The connections first: the server would wait for them to fall idle.
    client_.reset();
  }

  Result<json::object> Call(std::string_view method, const std::string& path,
                            const std::optional<json::object>& body, Deadline deadline) override {
    UMBRANET_ASSIGN_OR_RETURN(const ClientResponse response, Send(method, path, body, deadline));
    if (response.head.status >= 300) {
      return ErrorOf(response.head.status, response.body);
    }
    if (response.body.empty()) {
      return json::object();
    }
    boost::system::error_code error;
    json::value value = json::parse(response.body, error);
    if (error || !value.is_object()) {
      return Error{ErrorCode::kBadGateway, where_ + " answered with something other than JSON"};
    }
    return std::move(value.get_object());
  }

  Status Stream(std::string_view method, const std::string& path,
                const std::optional<json::object>& body,
                const std::function<bool(std::string_view piece)>& sink,
                Deadline deadline) override {
    const std::string text = body ? json::serialize(*body) : std::string();
    UMBRANET_ASSIGN_OR_RETURN(HttpExchange exchange,
                              client_->Start(Request(method, path, text), {}, deadline));
    if (exchange.head().status >= 300) {
      UMBRANET_ASSIGN_OR_RETURN(const std::string problem, exchange.ReadAll(deadline));
      return ErrorOf(exchange.head().status, problem);
    }
    for (;;) {
      UMBRANET_ASSIGN_OR_RETURN(const std::string_view piece, exchange.Read(deadline));
      if (piece.empty() || !sink(piece)) {
        return {};
      }
    }
  }

  [[nodiscard]] std::string Where() const override { return where_; }

 private:
  ClientRequest Request(std::string_view method, std::string_view path,
                        std::string_view body) const {
    ClientRequest request;
    request.method = method;
    request.target = path;
    request.body = body;
    request.headers.emplace_back("Content-Type", "application/json");
    if (!authorization_.empty()) {
      request.headers.emplace_back("Authorization", authorization_);
    }
    return request;
  }

  Result<ClientResponse> Send(std::string_view method, const std::string& path,
                              const std::optional<json::object>& body, Deadline deadline) {
    const std::string text = body ? json::serialize(*body) : std::string();
    return client_->Send(Request(method, path, text), {}, deadline);
  }

  std::unique_ptr<Application> own_;  // When this process opened the folder itself.
  std::unique_ptr<HttpClient> client_;
  const std::string authorization_;
  const std::string where_;
};

Result<std::unique_ptr<ApiClient>> ConnectTo(const std::string& url, std::string key,
                                             std::string where, std::unique_ptr<Application> own,
                                             const Clock& clock) {
  HttpClient::Options options;
  UMBRANET_ASSIGN_OR_RETURN(options.base, ParseUrl(url));
  options.connections_max = 4;
  options.limits.body_bytes_max = std::size_t{1} << 30U;  // An export is as large as a life.
  UMBRANET_ASSIGN_OR_RETURN(auto client, HttpClient::Open(std::move(options), clock));
  return std::unique_ptr<ApiClient>(std::make_unique<HttpApiClient>(
      std::move(client), std::move(key), std::move(where), std::move(own)));
}

// Whose memory a command works on when it opens the folder itself: the tenant of its key.
Result<std::string> OwnTenant(const Settings& settings) {
  if (settings.api_keys.empty()) {
    return std::string(kDefaultTenant);
  }
  for (const ApiKey& key : settings.api_keys) {
    if (key.key == settings.client_key) {
      return key.tenant;
    }
  }
  return Error{ErrorCode::kUnauthenticated,
               "API keys are set up; say with UMBRANET_API_KEY or --key whose memory is meant"};
}

Result<std::unique_ptr<ApiClient>> OpenFolder(const Settings& settings, bool reflect,
                                              const Clock& clock) {
  UMBRANET_ASSIGN_OR_RETURN(const std::string tenant, OwnTenant(settings));
  Settings own = settings;
  own.listen_host = "127.0.0.1";
  own.listen_port = 0;
  // Nobody else on this machine may use the port while the command runs.
  const ApiKey key{tenant, RandomHex(24), true};
  own.api_keys = {key};
  if (own.log_level < LogLevel::kWarning) {
    own.log_level = LogLevel::kWarning;
  }
  UMBRANET_ASSIGN_OR_RETURN(
      auto application,
      Application::Open(own, {.serve = Application::Serve::kApi, .reflect = reflect}, clock));
  application->Start();
  const std::string url = "http://127.0.0.1:" + std::to_string(application->Port());
  return ConnectTo(url, key.key, "the folder " + settings.data_folder, std::move(application),
                   clock);
}

}  // namespace

Result<std::unique_ptr<ApiClient>> ApiClient::Connect(const Settings& settings,
                                                      const Target& target, const Clock& clock) {
  if (!target.url.empty()) {
    return ConnectTo(target.url, settings.client_key, "the server at " + target.url, nullptr,
                     clock);
  }
  const auto holder = FindFolderHolder(settings);
  if (!holder) {
    return OpenFolder(settings, target.reflect, clock);
  }
  if (holder->address.empty()) {
    return FailedPrecondition("the folder " + settings.data_folder + " is held by process " +
                              std::to_string(holder->pid) +
                              ", which serves no API; stop it, or wait until it has ended");
  }
  const std::string url = "http://" + holder->address;
  return ConnectTo(url, settings.client_key, "the server at " + url, nullptr, clock);
}

std::string PathSegment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0x0fU];
    }
  }
  // A segment of dots alone would be taken for a relative path.
  if (out == "." || out == "..") {
    out = out == "." ? "%2E" : "%2E%2E";
  }
  return out;
}

}  // namespace umbranet
