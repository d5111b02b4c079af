#include "tests/unit/api_fixture.h"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace umbranet {
namespace {

namespace json = boost::json;

MemoryManager::Options PatientRecall(const Clock& ledger_clock) {
  MemoryManager::Options options;
  options.ledger_clock = &ledger_clock;
  // The clock stands still, so this only keeps a slow machine from losing a tier.
  options.recall_budget = Millis{10'000};
  return options;
}

}  // namespace

json::value ApiAnswer::Json() const {
  json::error_code error;
  return json::parse(body, error);
}

std::string ApiAnswer::Code() const {
  const json::value document = Json();
  const json::object* object = document.if_object();
  const json::value* code = object == nullptr ? nullptr : object->if_contains("code");
  return code == nullptr ? "" : std::string(std::string_view(code->as_string()));
}

std::string TextOf(const json::value& value) {
  const json::string& text = value.as_string();
  return {text.data(), text.size()};
}

ApiTest::ApiTest()
    : memory_(clock_, pool_,
              {journal_, ledger_, doorbell_, short_term_, episodic_, semantic_, procedural_},
              PatientRecall(ledger_clock_)),
      governor_(clock_, memory_, &model_, {}),
      log_(clock_, {.sink = [this](std::string_view line) { log_lines_.emplace_back(line); }}) {
  ON_CALL(doorbell_, Healthy).WillByDefault(::testing::Return(true));
  Build();
}

ApiTest::~ApiTest() = default;

void ApiTest::Build() {
  authenticator_.emplace(keys_);
  ApiDependencies dependencies{clock_,          memory_,  governor_, journal_, ledger_,
                               *authenticator_, metrics_, log_,      probes_};
  dependencies.consumers = [] { return std::uint64_t{3}; };
  waiting_cap_ = std::make_unique<WaitingCap>(journal_, cap_options_);
  dependencies.waiting_cap = waiting_cap_.get();
  dependencies.ledger_clock = &ledger_clock_;
  dependencies.usage = usage_;
  router_.emplace(BuildApi(std::move(dependencies)));
}

ApiAnswer ApiTest::Call(std::string_view method, std::string_view target, std::string_view body,
                        std::vector<HeaderField> headers) {
  RecordingWriter writer;
  return Call(writer, method, target, body, std::move(headers));
}

ApiAnswer ApiTest::Call(RecordingWriter& writer, std::string_view method, std::string_view target,
                        std::string_view body, std::vector<HeaderField> headers) {
  HttpRequest request;
  request.method = method;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  request.query = question == std::string_view::npos ? "" : target.substr(question + 1);
  request.body = body;
  request.headers = std::move(headers);
  request.headers.push_back({"Host", "localhost"});
  request.peer_is_loopback = true;
  RouteMatch match = router_->Match(request);
  if (match.refusal) {
    writer.Send(*std::move(match.refusal));
  } else {
    request.parameters = std::move(match.parameters);
    match.route->handler(request, writer);
  }
  ApiAnswer answer;
  answer.status = writer.response().status;
  answer.content_type = writer.response().content_type;
  answer.body = writer.response().body;
  answer.whole = writer.whole();
  for (const HeaderField& field : writer.response().headers) {
    answer.headers[field.name] = field.value;
  }
  return answer;
}

std::pair<std::string, std::string> ApiTest::Remember(std::string_view user_id,
                                                      std::string_view message,
                                                      std::vector<HeaderField> headers) {
  const json::object turn{{"user_id", user_id}, {"user_message", message}};
  const ApiAnswer answer =
      Call("POST", "/v1/interactions", json::serialize(turn), std::move(headers));
  EXPECT_EQ(answer.status, 202) << answer.body;
  if (answer.status != 202) {
    return {};
  }
  const json::value document = answer.Json();
  const json::object& result = document.at("results").at(0).as_object();
  return {std::string(std::string_view(result.at("interaction_id").as_string())),
          std::string(std::string_view(result.at("job_id").as_string()))};
}

void ApiTest::KillNextJob(std::string_view error) {
  const auto batch = ledger_.Claim({.worker = "test"}, Deadline::Never());
  ASSERT_TRUE(batch.ok() && batch->has_value());
  std::vector<JobFailure> failures;
  for (const ClaimedJob& claimed : (*batch)->jobs) {
    JobFailure failure;
    failure.job_id = claimed.job.job_id;
    failure.kind = FailureKind::kPermanent;
    failure.tier = "semantic";
    failure.error = error;
    failures.push_back(std::move(failure));
  }
  ASSERT_TRUE(ledger_.Settle((*batch)->lease, failures, Deadline::Never()).ok());
}

std::uint64_t ApiTest::Accepted(std::string_view tenant, std::string_view user_id) {
  const auto freshness =
      journal_.ReadFreshness({std::string(tenant), std::string(user_id)}, Deadline::Never());
  return freshness.ok() ? freshness->accepted : 0;
}

}  // namespace umbranet
