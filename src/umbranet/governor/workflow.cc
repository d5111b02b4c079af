#include "umbranet/governor/workflow.h"

#include <utility>

namespace umbranet::workflow {
namespace {

Step Stay(State state) {
  return {std::move(state), std::nullopt};
}

Step Fail(Error error) {
  return {Failed{}, GiveError{std::move(error)}};
}

Step FailBecauseClientLeft() {
  return Fail({ErrorCode::kCancelled, "governor: the client left before there was an answer"});
}

Step Reply(std::string reply, bool cut_short, bool repeated) {
  return {Replied{}, GiveReply{std::move(reply), cut_short, repeated}};
}

Step Store(std::string reply, Origin origin, bool cut_short) {
  StoreTurn effect{reply, origin};
  return {Storing{std::move(reply), cut_short}, std::move(effect)};
}

Step ReplyAgain(TurnFound found) {
  if (!found.same_message) {
    return Fail({ErrorCode::kAlreadyExists,
                 "governor: this interaction id belongs to a turn with another message"});
  }
  return Reply(std::move(found.reply), false, true);
}

// One overload for each state and event that go together; all other pairs change nothing.
struct Transition {
  Step operator()(Begun /*from*/, const TurnRequested& event) const {
    if (event.may_be_repeated) {
      return {LookingUp{event.with_model}, LookUpTurn{}};
    }
    return {Recalling{event.with_model}, RecallMemories{}};
  }

  Step operator()(Begun /*from*/, const ClientLeft& /*event*/) const {
    return FailBecauseClientLeft();
  }

  Step operator()(LookingUp /*from*/, TurnFound event) const {
    return ReplyAgain(std::move(event));
  }

  Step operator()(LookingUp from, const TurnNotFound& /*event*/) const {
    return {Recalling{from.with_model}, RecallMemories{}};
  }

  Step operator()(LookingUp /*from*/, const ClientLeft& /*event*/) const {
    return FailBecauseClientLeft();
  }

  Step operator()(LookingUp /*from*/, StepFailed event) const {
    return Fail(std::move(event.error));
  }

  Step operator()(Recalling from, const MemoriesRecalled& /*event*/) const {
    if (from.with_model) {
      return {Asking{}, AskModel{}};
    }
    return {Composing{}, ComposeReply{}};
  }

  Step operator()(Recalling /*from*/, const ClientLeft& /*event*/) const {
    return FailBecauseClientLeft();
  }

  Step operator()(Recalling /*from*/, StepFailed event) const {
    return Fail(std::move(event.error));
  }

  Step operator()(Asking from, ModelAnswered event) const {
    const bool cut_short = event.cut_short || from.client_left;
    if (event.text.empty()) {
      return cut_short ? FailBecauseClientLeft()
                       : Fail({ErrorCode::kBadGateway, "governor: the model's answer is empty"});
    }
    return Store(std::move(event.text), Origin::kChat, cut_short);
  }

  // What was said so far comes with the model's last word.
  Step operator()(Asking from, const ClientLeft& /*event*/) const {
    if (from.client_left) {
      return Stay(from);
    }
    return {Asking{.client_left = true}, StopModel{}};
  }

  Step operator()(Asking /*from*/, StepFailed event) const { return Fail(std::move(event.error)); }

  Step operator()(Composing /*from*/, ReplyComposed event) const {
    return Store(std::move(event.text), Origin::kOfflineChat, false);
  }

  Step operator()(Composing /*from*/, const ClientLeft& /*event*/) const {
    return FailBecauseClientLeft();
  }

  Step operator()(Composing /*from*/, StepFailed event) const {
    return Fail(std::move(event.error));
  }

  // From here on the turn is stored, whoever listens.
  Step operator()(Storing from, const TurnStored& event) const {
    if (event.duplicate) {
      return {ReadingBack{}, LookUpTurn{}};
    }
    return Reply(std::move(from.reply), from.cut_short, false);
  }

  Step operator()(Storing /*from*/, StepFailed event) const { return Fail(std::move(event.error)); }

  Step operator()(ReadingBack /*from*/, TurnFound event) const {
    return ReplyAgain(std::move(event));
  }

  // It was there a moment ago: its user was forgotten meanwhile.
  Step operator()(ReadingBack /*from*/, const TurnNotFound& /*event*/) const {
    return Fail(Aborted("governor: the turn was forgotten while it was answered"));
  }

  Step operator()(ReadingBack /*from*/, StepFailed event) const {
    return Fail(std::move(event.error));
  }

  template <typename From, typename Happened>
  Step operator()(const From& from, const Happened& /*event*/) const {
    return Stay(from);
  }
};

}  // namespace

Step Advance(State state, Event event) {
  return std::visit(Transition{}, std::move(state), std::move(event));
}

bool IsOver(const State& state) {
  return std::holds_alternative<Replied>(state) || std::holds_alternative<Failed>(state);
}

}  // namespace umbranet::workflow
