#include <boost/json/array.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr Millis kBudget{60'000};

int Show(const CommandContext& context, const json::object& answer, const std::string& text) {
  if (context.json) {
    PrintJson(answer);
  } else {
    Print(text);
  }
  return kExitOk;
}

std::string QueueText(const json::object& queue) {
  std::string text;
  if (const json::value* depth = queue.if_contains("depth"); depth && depth->is_object()) {
    const json::object& by_priority = depth->get_object();
    text += "waiting    high " + std::to_string(NumberOf(by_priority, "high")) + ", normal " +
            std::to_string(NumberOf(by_priority, "normal")) + ", low " +
            std::to_string(NumberOf(by_priority, "low")) + "\n";
  }
  for (const std::string_view name : {"leased", "retrying", "spooled", "dead", "consumers"}) {
    std::string label(name);
    label.resize(11, ' ');
    text += label + std::to_string(NumberOf(queue, name)) + "\n";
  }
  return text + "oldest     " + std::to_string(NumberOf(queue, "oldest_age_s")) + " s\n";
}

int ShowQueue(const CommandContext& context, ApiClient& client) {
  const auto queue = client.Call("GET", "/v1/admin/queue", std::nullopt, context.Within(kBudget));
  return queue.ok() ? Show(context, *queue, QueueText(*queue)) : Complain(queue.error());
}

std::string DeadLetterLine(const json::object& job) {
  return TextOf(job, "job_id") + "  " + Printable(TextOf(job, "user_id")) + "  attempts " +
         std::to_string(NumberOf(job, "attempts")) + "  " + Printable(TextOf(job, "last_error")) +
         "\n";
}

// The first page of a list, a line for each of its items.
int ShowPage(const CommandContext& context, ApiClient& client, const std::string& path,
             std::size_t limit, std::string (*line)(const json::object&), const char* nothing) {
  const auto page = client.Call("GET", path + "?limit=" + std::to_string(limit), std::nullopt,
                                context.Within(kBudget));
  if (!page.ok()) {
    return Complain(page.error());
  }
  std::string text;
  if (const json::value* items = page->if_contains("items"); items && items->is_array()) {
    for (const json::value& item : items->get_array()) {
      text += line(item.as_object());
    }
  }
  return Show(context, *page, text.empty() ? nothing : text);
}

int Dead(const CommandContext& context, ApiClient& client, std::size_t limit) {
  return ShowPage(context, client, "/v1/admin/dead-letters", limit, DeadLetterLine,
                  "no dead letters\n");
}

// A dead letter with every attempt, or any other job's status.
int ShowJob(const CommandContext& context, ApiClient& client, const std::string& job_id) {
  auto job = client.Call("GET", "/v1/admin/dead-letters/" + PathSegment(job_id), std::nullopt,
                         context.Within(kBudget));
  if (!job.ok() && job.error().code == ErrorCode::kNotFound) {
    job = client.Call("GET", "/v1/reflections/" + PathSegment(job_id), std::nullopt,
                      context.Within(kBudget));
  }
  if (!job.ok()) {
    return Complain(job.error());
  }
  PrintJson(*job);
  return kExitOk;
}

int Retry(const CommandContext& context, ApiClient& client, const JobsOptions& options) {
  if (options.job_id.empty() && !options.all && options.user.empty() && options.tier.empty() &&
      options.error.empty()) {
    return Complain(InvalidArgument(
        "jobs: say which dead letters to retry: an id, --user, --tier, --error or --all"));
  }
  std::string path = "/v1/admin/dead-letters/retry";
  json::object body;
  if (!options.job_id.empty()) {
    path = "/v1/admin/dead-letters/" + PathSegment(options.job_id) + "/retry";
  } else {
    json::object filter;
    if (!options.user.empty()) {
      filter["user_id"] = options.user;
    }
    if (!options.tier.empty()) {
      filter["tier"] = options.tier;
    }
    if (!options.error.empty()) {
      filter["error_contains"] = options.error;
    }
    body["filter"] = filter;
  }
  const auto answer = client.Call("POST", path, body, context.Within(kBudget));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  const std::string count =
      answer->contains("retried") ? std::to_string(NumberOf(*answer, "retried")) : "1";
  return Show(context, *answer, "queued again: " + count + "\n");
}

int Discard(const CommandContext& context, ApiClient& client, const JobsOptions& options) {
  if (options.job_id.empty() || options.reason.empty()) {
    return Complain(InvalidArgument("jobs: discard takes a job id and --reason"));
  }
  const auto answer = client.Call("DELETE",
                                  "/v1/admin/dead-letters/" + PathSegment(options.job_id) +
                                      "?reason=" + PathSegment(options.reason),
                                  std::nullopt, context.Within(kBudget));
  return answer.ok() ? Show(context, *answer, "discarded\n") : Complain(answer.error());
}

std::string ActLine(const json::object& act) {
  return TextOf(act, "at") + "  " + TextOf(act, "action") + "  " + TextOf(act, "job_id") + "  " +
         Printable(TextOf(act, "user_id")) + "  " + Printable(TextOf(act, "reason")) + "\n";
}

int Acts(const CommandContext& context, ApiClient& client, std::size_t limit) {
  return ShowPage(context, client, "/v1/admin/acts", limit, ActLine, "nobody did anything\n");
}

}  // namespace

int RunAudit(const CommandContext& context) {
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const auto answer =
      (*client)->Call("GET", "/v1/admin/audit", std::nullopt, context.Within(5 * kBudget));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  const auto missing = NumberOf(*answer, "missing");
  Show(context, *answer,
       std::to_string(NumberOf(*answer, "turns")) + " turns looked at, " + std::to_string(missing) +
           " missing, " + std::to_string(NumberOf(*answer, "unfinished")) + " not reflected yet\n");
  return missing == 0 ? kExitOk : kExitFailed;
}

int RunJobs(const CommandContext& context, const JobsOptions& options) {
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  if (options.action == "acts") {
    return Acts(context, **client, options.limit);
  }
  if (options.action == "status") {
    return ShowQueue(context, **client);
  }
  if (options.action == "dead") {
    return Dead(context, **client, options.limit);
  }
  if (options.action == "show") {
    return ShowJob(context, **client, options.job_id);
  }
  if (options.action == "retry") {
    return Retry(context, **client, options);
  }
  return Discard(context, **client, options);
}

}  // namespace umbranet
