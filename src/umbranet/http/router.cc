#include "umbranet/http/router.h"

#include <algorithm>
#include <utility>

#include "umbranet/base/utf8.h"
#include "umbranet/http/problem.h"

namespace umbranet {
namespace {

constexpr std::size_t kParameterBytesMax = 256;
constexpr std::string_view kUserIdParameter = "{user_id}";

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  path.remove_prefix(1);
  for (;;) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return segments;
    }
    path.remove_prefix(slash + 1);
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

RouteMatch Refused(HttpResponse response) {
  RouteMatch match;
  match.refusal = std::move(response);
  return match;
}

RouteMatch NoSuchPath() {
  return Refused(ProblemResponse(
      {404, "no_such_route",
       "there is nothing at this path; GET /openapi.json lists what there is. A slash inside an id "
       "is written %2F"}));
}

HttpResponse AllowedMethods(std::span<const std::string_view> methods, bool asked_for) {
  std::string allow;
  for (const std::string_view method : methods) {
    allow += method;
    allow += ", ";
    if (method == "GET") {
      allow += "HEAD, ";
    }
  }
  allow += "OPTIONS";
  HttpResponse response;
  if (asked_for) {
    response.status = 204;
    response.content_type.clear();
  } else {
    response = ProblemResponse(
        {405, "method_not_allowed", "this path does not have that method; use one of " + allow});
  }
  response.headers.push_back({"Allow", std::move(allow)});
  return response;
}

// The parameters as text, or what is wrong with them.
std::optional<Problem> DecodeParameters(std::span<const std::string_view> raw,
                                        std::vector<std::string>& parameters) {
  parameters.reserve(raw.size());
  for (const std::string_view text : raw) {
    std::optional<std::string> decoded = DecodePercent(text, false);
    if (!decoded || !IsValidUtf8(*decoded)) {
      return Problem{400, "bad_path_encoding",
                     "the path is not percent-encoded UTF-8; write each byte outside "
                     "A-Za-z0-9-._~ as %XX"};
    }
    if (decoded->size() > kParameterBytesMax || HasControlCharacters(*decoded)) {
      return Problem{400, "bad_id",
                     "an id in the path must have 1 to 256 bytes and no control characters"};
    }
    parameters.push_back(*std::move(decoded));
  }
  return std::nullopt;
}

}  // namespace

void Router::Add(Route route) {
  Pattern pattern;
  for (const std::string_view segment : SplitPath(route.pattern)) {
    pattern.emplace_back(segment.starts_with('{') ? std::string_view{} : segment);
  }
  patterns_.push_back(std::move(pattern));
  routes_.push_back(std::move(route));
}

void Router::SetGate(Gate gate) {
  gate_ = std::move(gate);
}

const Route* Router::Find(std::string_view method, std::span<const std::string_view> segments,
                          std::vector<std::string_view>& raw,
                          std::vector<std::string_view>& allowed) const {
  const Route* best = nullptr;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    if (pattern.size() != segments.size()) {
      continue;
    }
    std::vector<std::string_view> captured;
    bool matches = true;
    for (std::size_t at = 0; matches && at < pattern.size(); ++at) {
      if (!pattern[at].empty()) {
        matches = pattern[at] == segments[at];
      } else if (segments[at].empty()) {
        matches = false;
      } else {
        captured.push_back(segments[at]);
      }
    }
    if (!matches) {
      continue;
    }
    if (routes_[i].method != method) {
      allowed.emplace_back(routes_[i].method);
    } else if (best == nullptr || captured.size() < raw.size()) {
      // A literal is more exact than a parameter.
      best = &routes_[i];
      raw = std::move(captured);
    }
  }
  return best;
}

const Route* Router::FindWithBareSlashes(std::string_view method, std::string_view path,
                                         std::vector<std::string_view>& raw) const {
  const Route* best = nullptr;
  std::size_t best_literals = 0;
  for (const Route& route : routes_) {
    const std::size_t at = route.pattern.find(kUserIdParameter);
    if (at == std::string::npos || route.method != method) {
      continue;
    }
    const std::string_view before = std::string_view(route.pattern).substr(0, at);
    const std::string_view after =
        std::string_view(route.pattern).substr(at + kUserIdParameter.size());
    const std::size_t literals = before.size() + after.size();
    if (path.size() > literals && path.starts_with(before) && path.ends_with(after) &&
        literals > best_literals) {
      best = &route;
      best_literals = literals;
      raw = {path.substr(before.size(), path.size() - literals)};
    }
  }
  return best;
}

RouteMatch Router::Match(HttpRequest& request) const {
  if (!request.path.starts_with('/')) {
    if (request.method == "OPTIONS" && request.path == "*") {
      constexpr std::string_view kAll[] = {"GET", "POST", "PATCH", "DELETE"};
      return Refused(AllowedMethods(kAll, true));
    }
    return Refused(ProblemResponse(
        {400, "bad_target", "the request target must be a path that begins with /"}));
  }
  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  std::vector<std::string_view> raw;
  std::vector<std::string_view> allowed;
  RouteMatch match;
  match.route = Find(method, SplitPath(request.path), raw, allowed);
  if (match.route == nullptr && !allowed.empty()) {
    return Refused(AllowedMethods(allowed, request.method == "OPTIONS"));
  }
  if (match.route == nullptr) {
    match.route = FindWithBareSlashes(method, request.path, raw);
  }
  if (match.route == nullptr) {
    return NoSuchPath();
  }
  if (auto problem = DecodeParameters(raw, match.parameters)) {
    return Refused(ProblemResponse(*problem));
  }
  if (gate_) {
    match.refusal = gate_(*match.route, request);
  }
  return match;
}

std::optional<std::string> DecodePercent(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::nullopt;
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(
    std::string_view query, std::span<const std::string_view> known) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) {
      continue;
    }
    const std::size_t equals = part.find('=');
    auto name = DecodePercent(part.substr(0, equals), true);
    auto value = DecodePercent(
        equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1), true);
    if (!name || !value || !IsValidUtf8(*name) || !IsValidUtf8(*value)) {
      return InvalidArgument("query: it is not percent-encoded UTF-8");
    }
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      std::string names;
      for (const std::string_view candidate : known) {
        names += (names.empty() ? "" : ", ") + std::string(candidate);
      }
      return InvalidArgument(
          "query: there is no parameter '" + *name + "' here" +
          (names.empty() ? std::string("; leave it out") : "; the parameters are " + names));
    }
    if (std::any_of(parameters.begin(), parameters.end(),
                    [&name](const auto& seen) { return seen.first == *name; })) {
      return InvalidArgument("query: '" + *name + "' is given twice; give it once");
    }
    parameters.emplace_back(*std::move(name), *std::move(value));
  }
  return parameters;
}

}  // namespace umbranet
