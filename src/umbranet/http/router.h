// Which handler answers which method and path.
//
// Patterns are literal segments and parameters: "/v1/users/{user_id}/memories". A parameter takes
// one segment as it was sent, percent-decoded once, so that %2F is a slash within it. A user id
// whose slashes were sent bare is understood too, where no other route has the path: "{user_id}"
// then takes as many segments as it needs.
//
// Add everything, then Match from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/result.h"
#include "umbranet/http/message.h"

namespace umbranet {

inline constexpr std::size_t kTurnBodyBytesMax = std::size_t{1} << 20U;
inline constexpr std::size_t kBatchBodyBytesMax = std::size_t{16} << 20U;

enum class Access { kPublic, kTenant, kAdmin };

// Where a handler runs: on the pool, as everything that may block must; or at once on the I/O
// thread, which is for constant answers alone.
enum class RunsOn { kPool, kIoThread };

using Handler = std::function<void(const HttpRequest&, ResponseWriter&)>;

struct Route {
  std::string method;
  std::string pattern;
  Handler handler;
  Access access = Access::kTenant;
  std::size_t body_bytes_max = kTurnBodyBytesMax;
  RunsOn runs_on = RunsOn::kPool;
};

// A match, or the response that says why there is none.
struct RouteMatch {
  const Route* route = nullptr;
  std::vector<std::string> parameters;
  std::optional<HttpResponse> refusal;
};

class Router {
 public:
  // Decides whether this request may use this route, from its header alone, and fills in
  // request.caller; a response refuses it. Called on the I/O thread, before the body is read.
  using Gate = std::function<std::optional<HttpResponse>(const Route&, HttpRequest&)>;

  void Add(Route route);
  void SetGate(Gate gate);

  // Finds the route and asks the gate. HEAD finds the route of GET; OPTIONS of a known path is
  // answered with its Allow; a known path with another method is 405, an unknown one 404, bad
  // encoding 400.
  [[nodiscard]] RouteMatch Match(HttpRequest& request) const;

  [[nodiscard]] std::span<const Route> routes() const { return routes_; }

 private:
  // Literal segments; empty for a parameter.
  using Pattern = std::vector<std::string>;

  // The route of this path and method, with its raw parameters. Without one, `allowed` holds the
  // methods that the path has.
  [[nodiscard]] const Route* Find(std::string_view method,
                                  std::span<const std::string_view> segments,
                                  std::vector<std::string_view>& raw,
                                  std::vector<std::string_view>& allowed) const;
  [[nodiscard]] const Route* FindWithBareSlashes(std::string_view method, std::string_view path,
                                                 std::vector<std::string_view>& raw) const;

  std::vector<Route> routes_;
  std::vector<Pattern> patterns_;  // Parallel to routes_.
  Gate gate_;
};

// Decodes %XX once. Empty when an escape is broken. "+" stays a plus in paths and means a space in
// queries.
std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space);

// The parameters of a query string in the order sent. Bad escapes, bad UTF-8, a name without a
// place in `known`, or a name given twice are errors that name it.
Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(
    std::string_view query, std::span<const std::string_view> known);

}  // namespace umbranet
