// Carries out Cypher statements on a Neo4j server, in one transaction those of one call, over the
// server's HTTP API.
//
// Which API that is, the server is asked once: the transactional endpoint (/db/{db}/tx/commit)
// where there is one, since it takes all statements in one request and holds a transaction to a
// limit of time, and the Query API (/db/{db}/query/v2) otherwise. Statements are constants of this
// program; whatever comes from outside goes in their parameters.
//
// All methods may be called from any thread, as many at once as there are connections. The clock
// must outlive the client. No statement holds a connection while it waits for anything else.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "umbranet/adapters/neo4j/neo4j_errors.h"
#include "umbranet/adapters/neo4j/neo4j_url.h"
#include "umbranet/base/circuit_breaker.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/net/http_client.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

struct Neo4jStatement {
  std::string_view text;
  boost::json::object parameters;  // The members of $p.
};

class Neo4jClient {
 public:
  struct Options {
    std::string url;           // See ParseNeo4jUrl.
    std::string ca_file = {};  // PEM; empty: the system's certificate authorities.
    std::size_t connections_max = 16;
    Millis connect_timeout{2'000};
    // Of one statement, when the caller's deadline is later. The server ends it then, too.
    Millis statement_timeout{60'000};
    std::size_t answer_bytes_max = std::size_t{256} << 20U;
    // After so many requests in a row that found no server, or waited for it in vain, the rest are
    // told at once that it is away, but for one a pause.
    CircuitBreaker::Options breaker{
        .failures_to_open = 5, .pause_first = Millis{250}, .pause_max = Millis{2'000}};
    StructuredLog* log = nullptr;  // May be null; must outlive the client.
  };

  // The rows that the last statement answers with, each an array of its columns; or why nothing
  // was done.
  using Answer = std::variant<boost::json::array, Neo4jFailure>;

  // Asks the server nothing. kInvalidArgument: a URL that cannot be.
  static Result<std::unique_ptr<Neo4jClient>> Open(Options options, const Clock& clock);

  Answer Run(std::vector<Neo4jStatement> statements, Deadline deadline);

  [[nodiscard]] const Neo4jServer& server() const { return server_; }

  [[nodiscard]] const CircuitBreaker& breaker() const { return breaker_; }

  // Whether the server did what it was asked within that time, and nothing has failed since.
  [[nodiscard]] bool AnsweredWithin(Millis time) const;

 private:
  enum class Dialect : std::uint8_t { kUnknown, kTransactional, kQuery };

  Neo4jClient(Options options, const Neo4jUrl& url, const Clock& clock,
              std::unique_ptr<HttpClient> http);

  Result<Dialect> AskDialect(Deadline deadline);
  // Sends it, and tells the breaker how that went.
  Result<ClientResponse> Ask(const ClientRequest& request, Deadline deadline);
  Result<ClientResponse> Send(std::string_view method, const std::string& target,
                              std::string_view body, Deadline deadline);
  Answer RunTransactional(std::vector<Neo4jStatement> statements, Deadline deadline);
  Answer RunQuery(std::vector<Neo4jStatement> statements, Deadline deadline);
  // The answer; `read` finds the rows in it.
  Answer Read(const Result<ClientResponse>& response,
              boost::json::array (*read)(const boost::json::value&)) const;
  [[nodiscard]] std::int64_t LimitMillis(Deadline deadline) const;

  const Options options_;
  const Clock& clock_;
  const std::string authorization_;
  const Neo4jServer server_;
  const std::unique_ptr<HttpClient> http_;
  CircuitBreaker breaker_;
  std::atomic<SteadyTime> answered_at_{SteadyTime::min()};  // min: not, or not the last time.
  std::atomic<Dialect> dialect_{Dialect::kUnknown};
};

}  // namespace umbranet
