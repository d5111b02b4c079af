// Goal: a turn takes no way but those of the diagram in workflow.h; a reply is given only for a
// turn that the journal holds, and a turn that failed has left nothing there.
// Method: every event in every state against a table; then long random histories, checked against
// the promises alone.
#include "umbranet/governor/workflow.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace umbranet::workflow {
namespace {

// The name of whatever a variant holds, for tables and messages.
struct Name {
  std::string operator()(const Begun&) const { return "Begun"; }

  std::string operator()(const LookingUp& s) const {
    return s.with_model ? "LookingUp+model" : "LookingUp";
  }

  std::string operator()(const Recalling& s) const {
    return s.with_model ? "Recalling+model" : "Recalling";
  }

  std::string operator()(const Asking& s) const { return s.client_left ? "Asking+left" : "Asking"; }

  std::string operator()(const Composing&) const { return "Composing"; }

  std::string operator()(const Storing& s) const { return s.cut_short ? "Storing+cut" : "Storing"; }

  std::string operator()(const ReadingBack&) const { return "ReadingBack"; }

  std::string operator()(const Replied&) const { return "Replied"; }

  std::string operator()(const Failed&) const { return "Failed"; }

  std::string operator()(const LookUpTurn&) const { return "LookUpTurn"; }

  std::string operator()(const RecallMemories&) const { return "RecallMemories"; }

  std::string operator()(const AskModel&) const { return "AskModel"; }

  std::string operator()(const StopModel&) const { return "StopModel"; }

  std::string operator()(const ComposeReply&) const { return "ComposeReply"; }

  std::string operator()(const StoreTurn& e) const {
    return "StoreTurn " + e.reply + (e.origin == Origin::kOfflineChat ? " offline" : "");
  }

  std::string operator()(const GiveReply& e) const {
    return "GiveReply " + e.reply + (e.cut_short ? " cut" : "") + (e.repeated ? " again" : "");
  }

  std::string operator()(const GiveError& e) const {
    return "GiveError " + std::string(ErrorCodeName(e.error.code));
  }
};

std::string NameOf(const State& state) {
  return std::visit(Name{}, state);
}

std::string NameOf(const Step& step) {
  const std::string effect = step.effect ? " / " + std::visit(Name{}, *step.effect) : "";
  return NameOf(step.state) + effect;
}

const std::vector<std::pair<std::string, Event>>& AllEvents() {
  static const std::vector<std::pair<std::string, Event>> events = {
      {"requested", TurnRequested{}},
      {"requested+model", TurnRequested{false, true}},
      {"requested+repeat", TurnRequested{true, true}},
      {"found", TurnFound{true, "old"}},
      {"found other", TurnFound{false, "old"}},
      {"not found", TurnNotFound{}},
      {"recalled", MemoriesRecalled{}},
      {"answered", ModelAnswered{"said", false}},
      {"answered+cut", ModelAnswered{"said", true}},
      {"answered nothing", ModelAnswered{"", false}},
      {"answered nothing+cut", ModelAnswered{"", true}},
      {"composed", ReplyComposed{"quoted"}},
      {"stored", TurnStored{false}},
      {"stored+duplicate", TurnStored{true}},
      {"left", ClientLeft{}},
      {"failed", StepFailed{Unavailable("away")}},
  };
  return events;
}

const std::vector<State>& AllStates() {
  static const std::vector<State> states = {Begun{},
                                            LookingUp{false},
                                            LookingUp{true},
                                            Recalling{false},
                                            Recalling{true},
                                            Asking{false},
                                            Asking{true},
                                            Composing{},
                                            Storing{"text", false},
                                            Storing{"text", true},
                                            ReadingBack{},
                                            Replied{},
                                            Failed{}};
  return states;
}

struct Way {
  const char* from;
  const char* event;
  const char* to;
};

// Every pair that is not here changes nothing and asks for nothing.
const std::vector<Way> kWays = {
    {"Begun", "requested", "Recalling / RecallMemories"},
    {"Begun", "requested+model", "Recalling+model / RecallMemories"},
    {"Begun", "requested+repeat", "LookingUp+model / LookUpTurn"},
    {"Begun", "left", "Failed / GiveError cancelled"},
    {"LookingUp", "found", "Replied / GiveReply old again"},
    {"LookingUp", "found other", "Failed / GiveError already_exists"},
    {"LookingUp", "not found", "Recalling / RecallMemories"},
    {"LookingUp", "left", "Failed / GiveError cancelled"},
    {"LookingUp", "failed", "Failed / GiveError unavailable"},
    {"LookingUp+model", "found", "Replied / GiveReply old again"},
    {"LookingUp+model", "found other", "Failed / GiveError already_exists"},
    {"LookingUp+model", "not found", "Recalling+model / RecallMemories"},
    {"LookingUp+model", "left", "Failed / GiveError cancelled"},
    {"LookingUp+model", "failed", "Failed / GiveError unavailable"},
    {"Recalling", "recalled", "Composing / ComposeReply"},
    {"Recalling", "left", "Failed / GiveError cancelled"},
    {"Recalling", "failed", "Failed / GiveError unavailable"},
    {"Recalling+model", "recalled", "Asking / AskModel"},
    {"Recalling+model", "left", "Failed / GiveError cancelled"},
    {"Recalling+model", "failed", "Failed / GiveError unavailable"},
    {"Asking", "answered", "Storing / StoreTurn said"},
    {"Asking", "answered+cut", "Storing+cut / StoreTurn said"},
    {"Asking", "answered nothing", "Failed / GiveError bad_gateway"},
    {"Asking", "answered nothing+cut", "Failed / GiveError cancelled"},
    {"Asking", "left", "Asking+left / StopModel"},
    {"Asking", "failed", "Failed / GiveError unavailable"},
    {"Asking+left", "answered", "Storing+cut / StoreTurn said"},
    {"Asking+left", "answered+cut", "Storing+cut / StoreTurn said"},
    {"Asking+left", "answered nothing", "Failed / GiveError cancelled"},
    {"Asking+left", "answered nothing+cut", "Failed / GiveError cancelled"},
    {"Asking+left", "failed", "Failed / GiveError unavailable"},
    {"Composing", "composed", "Storing / StoreTurn quoted offline"},
    {"Composing", "left", "Failed / GiveError cancelled"},
    {"Composing", "failed", "Failed / GiveError unavailable"},
    {"Storing", "stored", "Replied / GiveReply text"},
    {"Storing", "stored+duplicate", "ReadingBack / LookUpTurn"},
    {"Storing", "failed", "Failed / GiveError unavailable"},
    {"Storing+cut", "stored", "Replied / GiveReply text cut"},
    {"Storing+cut", "stored+duplicate", "ReadingBack / LookUpTurn"},
    {"Storing+cut", "failed", "Failed / GiveError unavailable"},
    {"ReadingBack", "found", "Replied / GiveReply old again"},
    {"ReadingBack", "found other", "Failed / GiveError already_exists"},
    {"ReadingBack", "not found", "Failed / GiveError aborted"},
    {"ReadingBack", "failed", "Failed / GiveError unavailable"},
};

TEST(Workflow, TakesTheWaysOfTheDiagramAndNoOther) {
  std::size_t ways = 0;
  for (const State& state : AllStates()) {
    for (const auto& [name, event] : AllEvents()) {
      const std::string from = NameOf(state);
      const auto way = std::find_if(kWays.begin(), kWays.end(), [&](const Way& candidate) {
        return candidate.from == from && candidate.event == name;
      });
      ways += way == kWays.end() ? 0U : 1U;
      EXPECT_EQ(NameOf(Advance(state, event)), way == kWays.end() ? from : way->to)
          << from << " + " << name;
    }
  }
  EXPECT_EQ(ways, kWays.size()) << "a way of the table was never taken";
}

TEST(Workflow, HandsTheErrorOnAsItIs) {
  const Error busy{ErrorCode::kResourceExhausted, "busy", Millis{2'000}};
  const Step step = Advance(Asking{}, StepFailed{busy});
  const auto& given = std::get<GiveError>(*step.effect);
  EXPECT_EQ(given.error.message, "busy");
  EXPECT_EQ(given.error.retry_after, Millis{2'000});
}

TEST(Workflow, IsOverOnlyWithAReplyOrAnError) {
  for (const State& state : AllStates()) {
    const std::string name = NameOf(state);
    EXPECT_EQ(IsOver(state), name == "Replied" || name == "Failed") << name;
  }
}

// What a random history has done so far, kept apart from the machine under test.
struct History {
  bool store_asked = false;
  bool stored = false;
  bool found = false;
  int outcomes = 0;
};

void Note(const Event& event, const State& before, History& history) {
  const bool storing = std::holds_alternative<Storing>(before);
  const bool looking =
      std::holds_alternative<LookingUp>(before) || std::holds_alternative<ReadingBack>(before);
  history.stored = history.stored || (storing && std::holds_alternative<TurnStored>(event));
  history.found = history.found || (looking && std::holds_alternative<TurnFound>(event));
}

TEST(Workflow, GivesAReplyOnlyForATurnThatTheJournalHolds) {
  const bool held = rc::check([] {
    const auto picks = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, AllEvents().size()));
    State state;
    History history;
    for (const std::size_t pick : picks) {
      const Event& event = AllEvents()[pick].second;
      Note(event, state, history);
      const bool was_over = IsOver(state);
      Step step = Advance(state, event);
      state = step.state;
      if (!step.effect) {
        continue;
      }
      RC_ASSERT(!was_over);
      if (const auto* store = std::get_if<StoreTurn>(&*step.effect)) {
        // A turn is stored once, and never without an answer.
        RC_ASSERT(!history.store_asked);
        RC_ASSERT(!store->reply.empty());
        history.store_asked = true;
      }
      if (std::holds_alternative<GiveReply>(*step.effect)) {
        RC_ASSERT(history.stored || history.found);
        ++history.outcomes;
      }
      if (std::holds_alternative<GiveError>(*step.effect)) {
        RC_ASSERT(!history.stored || history.store_asked);
        ++history.outcomes;
      }
      RC_ASSERT(history.outcomes <= 1);
    }
    RC_ASSERT(IsOver(state) == (history.outcomes == 1));
  });
  EXPECT_TRUE(held);
}

TEST(Workflow, StoresNothingWhenTheModelFailed) {
  const bool held = rc::check([] {
    // Up to the model, in any way; then it fails, and then anything may happen.
    State state = *rc::gen::element<State>(Asking{false}, Asking{true});
    state = Advance(state, StepFailed{Unavailable("away")}).state;
    const auto picks = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, AllEvents().size()));
    for (const std::size_t pick : picks) {
      const Step step = Advance(state, AllEvents()[pick].second);
      RC_ASSERT(!step.effect.has_value());
      state = step.state;
    }
    RC_ASSERT(std::holds_alternative<Failed>(state));
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace umbranet::workflow
