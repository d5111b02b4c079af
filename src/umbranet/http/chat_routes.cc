// POST /v1/chat, answered whole or as a stream of events.
#include <utility>

#include <boost/json/serialize.hpp>

#include "umbranet/http/api_context.h"
#include "umbranet/http/domain_json.h"
#include "umbranet/http/json_document.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/http/request_tables.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kOperation = "chat";

HttpResponse EventStreamHead() {
  HttpResponse head;
  head.content_type = "text/event-stream";
  return head;
}

// The data of an event is one line: JSON has no line ends of its own.
std::string Event(std::string_view name, std::string_view data) {
  std::string event;
  event.reserve(name.size() + data.size() + 16);
  return event.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

std::string DeltaEvent(std::string_view text) {
  std::string data;
  data.reserve(text.size() + 16);
  JsonWriter(data).BeginObject().Field("text", text).EndObject();
  return Event("delta", data);
}

// The stream begins with the first piece of the reply, so that a model that is away is still
// answered with a status of its own.
class ChatStream {
 public:
  explicit ChatStream(ResponseWriter& writer) : writer_(writer) {}

  bool Delta(std::string_view text) {
    Begin();
    return writer_.Write(DeltaEvent(text)) && !writer_.ClientGone().stop_requested();
  }

  void Done(std::string_view answer) {
    Begin();
    if (writer_.Write(Event("done", answer))) {
      writer_.End();
    }
  }

  void Failed(const Problem& problem) {
    if (!writer_.Started()) {
      SendProblem(writer_, problem);
    } else if (writer_.Write(Event("error", RenderProblem(problem)))) {
      writer_.End();
    }
  }

 private:
  void Begin() {
    if (!writer_.Started()) {
      writer_.BeginStream(EventStreamHead());
    }
  }

  ResponseWriter& writer_;
};

// A refusal of the model is not one of this server: it has room, the model has not.
Problem ChatProblem(const ApiContext& api, Error error) {
  if (error.code == ErrorCode::kResourceExhausted) {
    error.code = ErrorCode::kUnavailable;
  }
  return api.Report(kOperation, error);
}

ChatRequest ReadChat(const json::object& body, const HttpRequest& request) {
  ChatRequest chat;
  chat.user = {request.caller.tenant, std::string(*TextField(body, "user_id"))};
  chat.message = *TextField(body, "message");
  chat.session_id = TextField(body, "session_id").value_or(kDefaultSession);
  if (const auto name = TextField(body, "priority")) {
    Priority priority = Priority::kNormal;
    ParsePriority(*name, priority);
    chat.priority = priority;
  }
  if (const json::value* metadata = FindField(body, "metadata")) {
    chat.metadata = json::serialize(*metadata);
  }
  chat.traceparent = TraceparentOf(request);
  return chat;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

// The first answer once more, in the form that this request asked for.
void Replay(const StoredAnswer& answer, bool streamed, ResponseWriter& writer) {
  if (!streamed) {
    SendJson(writer, answer.http_status, answer.body);
    return;
  }
  ChatStream stream(writer);
  const auto parsed = ParseJson(answer.body);
  const auto* value = std::get_if<json::value>(&parsed);
  if (value != nullptr && value->is_object()) {
    if (const auto reply = TextField(value->get_object(), "reply"); reply && !reply->empty()) {
      stream.Delta(*reply);
    }
  }
  stream.Done(answer.body);
}

void AnswerChat(ApiContext& api, const ChatRequest& chat, bool streamed,
                IdempotentRequests::Claim& claim, ResponseWriter& writer) {
  const ApiDependencies& needs = api.dependencies;
  const Deadline deadline = Deadline::After(needs.clock, needs.chat_budget);
  ChatStream stream(writer);
  DeltaSink sink;
  if (streamed) {
    sink = [&stream](std::string_view text) { return stream.Delta(text); };
  }
  // Who asked for the whole answer gets it stored even when hanging up early: nothing tells such a
  // client from one that has only finished sending.
  const std::stop_token stop = streamed ? writer.ClientGone() : writer.Abandoned();
  Result<ChatAnswer> answer = needs.governor.Chat(chat, sink, stop, deadline);
  if (!answer.ok()) {
    const Problem problem = ChatProblem(api, answer.error());
    if (streamed) {
      stream.Failed(problem);
    } else {
      SendProblem(writer, problem);
    }
    return;
  }
  std::string body = RenderChatAnswer(*answer);
  if (!answer->cut_short) {
    claim.Save(chat.user, 200, body, api.RequestDeadline());
  }
  if (streamed) {
    stream.Done(body);
  } else {
    SendJson(writer, 200, std::move(body));
  }
}

void HandleChat(ApiContext& api, const HttpRequest& request, ResponseWriter& writer) {
  if (const auto problem = RefuseQuery(request)) {
    SendProblem(writer, *problem);
    return;
  }
  const auto read = ReadBody(request, kChatTable);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    SendProblem(writer, *problem);
    return;
  }
  const json::object& body = std::get<json::value>(read).get_object();
  ChatRequest chat = ReadChat(body, request);
  if (IsBlank(chat.message)) {
    SendProblem(writer, {400, "empty_field", "'message' is blank; say something"});
    return;
  }
  const bool streamed = BooleanField(body, "stream", false);
  auto begun = api.idempotent_requests.Begin(
      request, Deadline::After(api.dependencies.clock, api.dependencies.chat_budget));
  if (const auto* problem = std::get_if<Problem>(&begun)) {
    SendProblem(writer, *problem);
  } else if (const auto* answer = std::get_if<StoredAnswer>(&begun)) {
    Replay(*answer, streamed, writer);
  } else {
    // Before a model is asked for what could not be stored.
    if (const auto refused = api.RefuseBacklog({{chat.user, 1}})) {
      SendProblem(writer, *refused);
      return;
    }
    auto& claim = std::get<IdempotentRequests::Claim>(begun);
    chat.interaction_id = claim.InteractionId(chat.user.user_id, 0);
    AnswerChat(api, chat, streamed, claim, writer);
  }
}

}  // namespace

void AddChatRoutes(Router& router, const SharedApi& api) {
  router.Add({"POST", "/v1/chat", [api](const HttpRequest& request, ResponseWriter& writer) {
                HandleChat(*api, request, writer);
              }});
}

}  // namespace umbranet
