#include <cstdio>
#include <iostream>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unistd.h>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"
#include "umbranet/net/sse_parser.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kHelp =
    "  /memories   what is remembered of you\n"
    "  /rules      your standing instructions and preferences\n"
    "  /recall ... what a recall of these words brings back\n"
    "  /quit       leave (or Ctrl-D); everything stays remembered\n";

class Conversation {
 public:
  Conversation(const CommandContext& context, const ChatOptions& options, ApiClient& client)
      : context_(context), options_(options), client_(client), style_(TerminalStyle()) {}

  // One turn, streamed. The answer's last event carries what was recalled.
  Status Say(const std::string& message);
  int Loop();

 private:
  Status Command(const std::string& line);
  Status ListMemories(const std::string& tier);
  void ShowRecalled(const json::object& done) const;

  const CommandContext& context_;
  const ChatOptions& options_;
  ApiClient& client_;
  const Style style_;
};

Error ProblemOf(const json::object& problem) {
  return {ErrorCode::kUnavailable, "chat: " + TextOf(problem, "detail")};
}

Status Conversation::Say(const std::string& message) {
  json::object done;
  std::optional<Error> problem;
  const json::object body{{"user_id", options_.user},
                          {"session_id", options_.session},
                          {"message", message},
                          {"stream", true}};
  SseParser parser;
  const auto on_event = [&](const SseEvent& event) {
    boost::system::error_code error;
    const json::value data = json::parse(event.data, error);
    if (error || !data.is_object()) {
      return;
    }
    if (event.type == "delta" && !context_.json) {
      Print(Printable(TextOf(data.get_object(), "text")));
    } else if (event.type == "done") {
      done = data.get_object();
    } else if (event.type == "error") {
      problem = ProblemOf(data.get_object());
    }
  };
  UMBRANET_RETURN_IF_ERROR(client_.Stream(
      "POST", "/v1/chat", body,
      [&](std::string_view piece) {
        parser.Append(piece);
        auto event = parser.Next();
        for (; event.ok() && event->has_value(); event = parser.Next()) {
          on_event(**event);
        }
        return event.ok();
      },
      context_.Within(Millis{context_.settings().turn_timeout_ms + 5'000})));
  if (problem) {
    return *problem;
  }
  if (done.empty()) {
    return Unavailable("chat: the answer broke off");
  }
  if (context_.json) {
    PrintJson(done);
  } else {
    Print("\n");
    ShowRecalled(done);
  }
  return {};
}

void Conversation::ShowRecalled(const json::object& done) const {
  const auto show = [&](std::string_view list, std::string_view label) {
    const json::value* items = done.if_contains(list);
    if (items == nullptr || !items->is_array()) {
      return;
    }
    std::size_t shown = 0;
    for (const json::value& item : items->get_array()) {
      if (++shown > 3) {
        Print(style_.dim + "  " + std::string(label) + " ... and " +
              std::to_string(items->get_array().size() - 3) + " more" + style_.reset + "\n");
        break;
      }
      std::string text = Printable(TextOf(item.as_object(), "text"));
      if (text.size() > 100) {
        text = text.substr(0, text.find_last_of(' ', 97)) + " ...";
      }
      Print(style_.dim + "  " + std::string(label) + " " + text + style_.reset + "\n");
    }
  };
  show("recalled", "recalled");
  show("rules", "rule    ");
  if (const json::value* degraded = done.if_contains("degraded"); degraded) {
    for (const json::value& part : degraded->as_array()) {
      Print(style_.dim + "  away     " + std::string(part.as_string()) + style_.reset + "\n");
    }
  }
}

Status Conversation::ListMemories(const std::string& tier) {
  UMBRANET_ASSIGN_OR_RETURN(
      const json::object page,
      client_.Call("GET",
                   "/v1/users/" + PathSegment(options_.user) + "/memories?limit=100" +
                       (tier.empty() ? "" : "&tier=" + tier),
                   std::nullopt, context_.Within(Millis{30'000})));
  const json::array& items = page.at("items").as_array();
  for (const json::value& item : items) {
    Print("  " + Printable(TextOf(item.as_object(), "text")) + style_.dim + "  (" +
          TextOf(item.as_object(), "tier") + ")" + style_.reset + "\n");
  }
  if (items.empty()) {
    Print("  nothing yet\n");
  }
  return {};
}

Status Conversation::Command(const std::string& line) {
  if (line == "/memories") {
    return ListMemories("");
  }
  if (line == "/rules") {
    return ListMemories("procedural");
  }
  if (line.starts_with("/recall ")) {
    const json::object body{{"user_id", options_.user}, {"query", line.substr(8)}};
    UMBRANET_ASSIGN_OR_RETURN(
        const json::object answer,
        client_.Call("POST", "/v1/recall", body, context_.Within(Millis{30'000})));
    for (const json::value& item : answer.at("items").as_array()) {
      Print("  " + Printable(TextOf(item.as_object(), "text")) + "\n");
    }
    return {};
  }
  Print(std::string(kHelp));
  return {};
}

int Conversation::Loop() {
  const bool terminal = isatty(STDIN_FILENO) != 0;
  if (terminal && !context_.json) {
    Print("Talking to Umbranet through " + client_.Where() + " as \"" + options_.user +
          "\". /help shows what else there is.\n");
  }
  std::string line;
  for (;;) {
    if (terminal && !context_.json) {
      Print(style_.bold + "you> " + style_.reset);
    }
    if (!std::getline(std::cin, line)) {
      if (terminal) {
        Print("\n");
      }
      return kExitOk;
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    if (line == "/quit" || line == "/exit") {
      return kExitOk;
    }
    const Status said = line.starts_with('/') ? Command(line) : Say(line);
    if (!said.ok()) {
      const ExitCode code = Complain(said.error());
      if (!terminal) {
        return code;
      }
    }
  }
}

}  // namespace

int RunChat(const CommandContext& context, const ChatOptions& options) {
  auto client = context.Connect();
  if (!client.ok()) {
    return Complain(client.error());
  }
  Conversation conversation(context, options, **client);
  if (options.message.empty()) {
    return conversation.Loop();
  }
  const Status said = conversation.Say(options.message);
  return said.ok() ? kExitOk : Complain(said.error());
}

}  // namespace umbranet
