// What the routes of the API share: the dependencies, and the ways in which they answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <boost/json/value.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/http/api.h"
#include "umbranet/http/idempotency.h"
#include "umbranet/http/json_fields.h"
#include "umbranet/http/message.h"
#include "umbranet/http/problem.h"
#include "umbranet/http/router.h"

namespace umbranet {

class ApiContext {
 public:
  explicit ApiContext(ApiDependencies given)
      : dependencies(std::move(given)),
        idempotent_requests(
            dependencies.ledger_clock == nullptr ? dependencies.clock : *dependencies.ledger_clock,
            dependencies.journal, dependencies.log) {}

  [[nodiscard]] Deadline RequestDeadline() const {
    return Deadline::After(dependencies.clock, dependencies.request_budget);
  }

  [[nodiscard]] Deadline LongDeadline() const {
    return Deadline::After(dependencies.clock, dependencies.long_budget);
  }

  // The error as a problem; what the client must not see goes to the log.
  [[nodiscard]] Problem Report(std::string_view operation, const Error& error) const;
  void SendError(ResponseWriter& writer, std::string_view operation, const Error& error) const;

  // A problem when a user has as many turns waiting as may wait; `turns` are those of a request.
  [[nodiscard]] std::optional<Problem> RefuseBacklog(const std::map<UserKey, std::uint64_t>& turns);

  ApiDependencies dependencies;
  IdempotentRequests idempotent_requests;
};

using SharedApi = std::shared_ptr<ApiContext>;

using ApiHandler = void (*)(const ApiContext& api, const HttpRequest& request,
                            ResponseWriter& writer);

// A route whose handler may block.
void AddRoute(Router& router, const SharedApi& api, std::string method, std::string pattern,
              ApiHandler handler, Access access = Access::kAdmin);

void SendJson(ResponseWriter& writer, int status, std::string body);
void SendProblem(ResponseWriter& writer, const Problem& problem);

// The body as an object of this form, or the problem with it.
std::variant<boost::json::value, Problem> ReadBody(const HttpRequest& request,
                                                   const ObjectTable& table);

// The user that the path's parameter `index` names, within the caller's tenant.
UserKey UserInPath(const HttpRequest& request, std::size_t index = 0);

// ?limit= and ?cursor= of a list, and one further parameter where there is one.
// The 'limit' of a page.
std::variant<std::size_t, Problem> ReadLimit(std::string_view value);

struct PageQuery {
  std::size_t limit = 0;
  std::string cursor;
  std::string extra;
};

std::variant<PageQuery, Problem> ReadPageQuery(const HttpRequest& request,
                                               std::string_view extra = {});

// A problem when the route takes no query and one was given.
std::optional<Problem> RefuseQuery(const HttpRequest& request);

// The W3C Trace Context that the turn's work belongs to.
std::string TraceparentOf(const HttpRequest& request);

void AddChatRoutes(Router& router, const SharedApi& api);
void AddInteractionRoutes(Router& router, const SharedApi& api);
void AddRecallRoutes(Router& router, const SharedApi& api);
void AddMemoryRoutes(Router& router, const SharedApi& api);
void AddAdminRoutes(Router& router, const SharedApi& api);
void AddRecordRoutes(Router& router, const SharedApi& api);
void AddRebuildRoutes(Router& router, const SharedApi& api);
void AddConsolidationRoutes(Router& router, const SharedApi& api);
void AddModeRoutes(Router& router, const SharedApi& api);
void AddShadowRoutes(Router& router, const SharedApi& api);
// healthz, readyz and metrics; the second has the OpenAPI document as well.
void AddProbeRoutes(Router& router, const SharedApi& api);
void AddOperationsRoutes(Router& router, const SharedApi& api);

}  // namespace umbranet
