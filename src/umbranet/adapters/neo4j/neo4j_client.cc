#include "umbranet/adapters/neo4j/neo4j_client.h"

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace umbranet {
namespace {

namespace json = boost::json;

// The server closes a connection that was idle for 30 s.
constexpr Millis kKeepIdleFor{20'000};
// For the answer that a transaction took too long to come back in.
constexpr Millis kGrace{2'000};
// A caller with less time than this learns nothing of a server that does not answer him.
constexpr Millis kTimeToTell{200};

const json::value* Member(const json::value* value, std::string_view name) {
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

const json::array* Array(const json::value* value) {
  return value == nullptr ? nullptr : value->if_array();
}

std::string_view Text(const json::value* value) {
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

// "results": [..., {"data": [{"row": [...]}, ...]}]
json::array TransactionalRows(const json::value& answer) {
  const json::array* results = Array(Member(&answer, "results"));
  const json::array* data =
      results == nullptr || results->empty() ? nullptr : Array(Member(&results->back(), "data"));
  json::array rows;
  for (std::size_t i = 0; data != nullptr && i < data->size(); ++i) {
    const json::value* row = Member(&(*data)[i], "row");
    rows.push_back(row == nullptr ? json::value() : *row);
  }
  return rows;
}

// "data": {"values": [[...], ...]}
json::array QueryRows(const json::value& answer) {
  const json::array* values = Array(Member(Member(&answer, "data"), "values"));
  return values == nullptr ? json::array() : *values;
}

// "transaction": {"id": "..."}, as the only row and column.
json::array QueryTransaction(const json::value& answer) {
  const std::string_view id = Text(Member(Member(&answer, "transaction"), "id"));
  return {json::array{json::string(id)}};
}

json::object Body(Neo4jStatement statement) {
  return {{"statement", statement.text},
          {"parameters", json::object{{"p", std::move(statement.parameters)}}}};
}

}  // namespace

Result<std::unique_ptr<Neo4jClient>> Neo4jClient::Open(Options options, const Clock& clock) {
  UMBRANET_ASSIGN_OR_RETURN(const Neo4jUrl url, ParseNeo4jUrl(options.url));
  HttpClient::Options http;
  http.base = url.base;
  http.connect_timeout = options.connect_timeout;
  http.first_byte_timeout = options.statement_timeout + kGrace;
  http.keep_idle_for = kKeepIdleFor;
  http.connections_max = options.connections_max;
  http.limits.body_bytes_max = options.answer_bytes_max;
  http.ca_file = options.ca_file;
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client,
                            HttpClient::Open(std::move(http), clock));
  options.url.clear();  // It may hold a password.
  return std::unique_ptr<Neo4jClient>(
      new Neo4jClient(std::move(options), url, clock, std::move(client)));
}

Neo4jClient::Neo4jClient(Options options, const Neo4jUrl& url, const Clock& clock,
                         std::unique_ptr<HttpClient> http)
    : options_(std::move(options)),
      clock_(clock),
      authorization_(BasicAuthorization(url)),
      server_{NameOfServer(url), url.database},
      http_(std::move(http)),
      breaker_(clock, options_.breaker) {}

Result<ClientResponse> Neo4jClient::Ask(const ClientRequest& request, Deadline deadline) {
  const bool had_time = deadline.Remaining() >= kTimeToTell;
  Result<ClientResponse> response = http_->Send(request, std::stop_token(), deadline);
  const bool done = response.ok() && response->head.status / 100 == 2;
  answered_at_ = done ? clock_.SteadyNow() : SteadyTime::min();
  if (response.ok()) {
    if (breaker_.Succeeded() && options_.log != nullptr) {
      options_.log->Info("neo4j_back", {{"server", server_.name}});
    }
    return response;
  }
  const ErrorCode code = response.error().code;
  const bool away =
      code == ErrorCode::kUnavailable || (code == ErrorCode::kDeadlineExceeded && had_time);
  if (away && breaker_.Failed() && options_.log != nullptr) {
    options_.log->Warning("neo4j_away",
                          {{"server", server_.name}, {"error", response.error().message}});
  }
  return response;
}

bool Neo4jClient::AnsweredWithin(Millis time) const {
  return answered_at_.load() >= clock_.SteadyNow() - time;
}

Result<Neo4jClient::Dialect> Neo4jClient::AskDialect(Deadline deadline) {
  const Dialect known = dialect_.load();
  if (known != Dialect::kUnknown) {
    return known;
  }
  const ClientRequest request{.headers = {{"Accept", "application/json"}}};
  UMBRANET_ASSIGN_OR_RETURN(const ClientResponse response, Ask(request, deadline));
  boost::system::error_code error;
  const json::value answer = json::parse(response.body, error);
  Dialect dialect = Dialect::kUnknown;
  if (response.head.status == 200 && !error) {
    dialect = Member(&answer, "transaction") != nullptr ? Dialect::kTransactional
              : Member(&answer, "query") != nullptr     ? Dialect::kQuery
                                                        : Dialect::kUnknown;
  }
  if (dialect != Dialect::kUnknown) {
    dialect_.store(dialect);
  }
  return dialect;
}

std::int64_t Neo4jClient::LimitMillis(Deadline deadline) const {
  const auto left =
      std::min<std::chrono::nanoseconds>(deadline.Remaining(), options_.statement_timeout);
  return std::max<std::int64_t>(1, std::chrono::ceil<Millis>(left).count());
}

Result<ClientResponse> Neo4jClient::Send(std::string_view method, const std::string& target,
                                         std::string_view body, Deadline deadline) {
  const std::string limit_ms = std::to_string(LimitMillis(deadline));
  const std::string whole = "/db/" + server_.database + target;
  ClientRequest request{.method = method,
                        .target = whole,
                        .headers = {{"Content-Type", "application/json"},
                                    {"Accept", "application/json"},
                                    {"max-execution-time", limit_ms}},
                        .body = body};
  if (!authorization_.empty()) {
    request.headers.emplace_back("Authorization", authorization_);
  }
  return Ask(request, deadline);
}

Neo4jClient::Answer Neo4jClient::Read(const Result<ClientResponse>& response,
                                      json::array (*read)(const json::value&)) const {
  if (!response.ok()) {
    return ExplainNeo4jTransport(response.error(), server_);
  }
  boost::system::error_code error;
  const json::value answer = json::parse(response->body, error);
  if (error) {
    return ExplainNeo4jStatus(response->head.status, server_);
  }
  if (const json::array* errors = Array(Member(&answer, "errors"));
      errors != nullptr && !errors->empty()) {
    const std::string_view code = Text(Member(&errors->front(), "code"));
    if (code == "N/A") {  // The Query API is a client of the server's own Bolt connector.
      return Neo4jFailure{
          {ErrorCode::kFailedPrecondition, "neo4j: " + server_.name +
                                               ": its Query API needs the Bolt connector; set "
                                               "server.bolt.enabled=true there"}};
    }
    return ExplainNeo4jError(code, Text(Member(&errors->front(), "message")), server_);
  }
  if (response->head.status < 200 || response->head.status > 202) {
    return ExplainNeo4jStatus(response->head.status, server_);
  }
  return read(answer);
}

Neo4jClient::Answer Neo4jClient::RunTransactional(std::vector<Neo4jStatement> statements,
                                                  Deadline deadline) {
  json::array list;
  for (Neo4jStatement& statement : statements) {
    list.push_back(Body(std::move(statement)));
  }
  const std::string body = json::serialize(json::object{{"statements", std::move(list)}});
  return Read(Send("POST", "/tx/commit", body, deadline), TransactionalRows);
}

// The Query API takes one statement a request; more of them need a transaction that is held open,
// which the server ends when it hears nothing for some time.
Neo4jClient::Answer Neo4jClient::RunQuery(std::vector<Neo4jStatement> statements,
                                          Deadline deadline) {
  std::string target = "/query/v2";
  if (statements.size() > 1) {
    Answer begun = Read(Send("POST", target + "/tx", "{}", deadline), QueryTransaction);
    if (std::holds_alternative<Neo4jFailure>(begun)) {
      return begun;
    }
    const json::array& id = std::get<json::array>(begun).front().as_array();
    target += "/tx/" + std::string(Text(&id.front()));
  }
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const bool commit = statements.size() > 1 && i + 1 == statements.size();
    json::object body = Body(std::move(statements[i]));
    body["maxExecutionTime"] = (LimitMillis(deadline) + 999) / 1000;
    Answer answer =
        Read(Send("POST", commit ? target + "/commit" : target, json::serialize(body), deadline),
             QueryRows);
    if (i + 1 == statements.size()) {
      return answer;
    }
    if (std::holds_alternative<Neo4jFailure>(answer)) {
      static_cast<void>(Send("DELETE", target, "", deadline.Within(clock_, kGrace)));
      return answer;
    }
  }
  return json::array();
}

Neo4jClient::Answer Neo4jClient::Run(std::vector<Neo4jStatement> statements, Deadline deadline) {
  if (deadline.Expired()) {
    return Neo4jFailure{DeadlineExceeded("neo4j: " + server_.name + ": no time is left")};
  }
  if (!breaker_.Allow()) {
    // Nothing was sent, so nothing is unknown.
    return Neo4jFailure{
        Unavailable("neo4j: " + server_.name +
                    ": it has not answered of late and is asked again in a moment; see that it"
                    " runs and that NEO4J_URL names it")};
  }
  const Result<Dialect> dialect = AskDialect(deadline);
  if (!dialect.ok()) {
    return ExplainNeo4jTransport(dialect.error(), server_);
  }
  switch (*dialect) {
    case Dialect::kTransactional:
      return RunTransactional(std::move(statements), deadline);
    case Dialect::kQuery:
      return RunQuery(std::move(statements), deadline);
    case Dialect::kUnknown:
      break;
  }
  return ExplainNeo4jStatus(404, server_);
}

}  // namespace umbranet
