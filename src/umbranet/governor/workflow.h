// The course of one chat turn as a pure state machine: no I/O, no clock, no threads. Given where a
// turn stands and what has happened, Advance says where it stands now and what is to be done next;
// the Governor does it and reports what came of it.
//
//   Begun ── LookUpTurn ──> LookingUp ── found ──> Replied
//     │                         │ not found
//     └─────────> Recalling <───┘
//                     │ recalled
//                     ├── with a model: AskModel ──> Asking ── answered ──┐
//                     └── without: ComposeReply ──> Composing ─ composed ─┤
//                                                                         v
//      Replied <── stored ── Storing (StoreTurn) <────────────────────────┘
//         ^                     │ somebody stored this turn first
//         └── found ── ReadingBack (LookUpTurn)
//
// Any failure on the way ends in Failed, and then nothing of the turn was stored, but for a failure
// of storing itself, whose outcome the journal leaves open. A reply is given only when the turn is
// in the journal. A client that leaves before the model has said anything leaves nothing behind;
// later, the turn is stored as far as the model got. Events that have no meaning where the turn
// stands change nothing.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"

namespace umbranet::workflow {

// Where a turn stands.
struct Begun {};

struct LookingUp {
  bool with_model = false;
};

struct Recalling {
  bool with_model = false;
};

struct Asking {
  bool client_left = false;
};

struct Composing {};

struct Storing {
  std::string reply;
  bool cut_short = false;
};

struct ReadingBack {};

struct Replied {};

struct Failed {};

using State = std::variant<Begun, LookingUp, Recalling, Asking, Composing, Storing, ReadingBack,
                           Replied, Failed>;

// What has happened.
struct TurnRequested {
  bool may_be_repeated = false;  // It carries an id that an earlier request may have used.
  bool with_model = false;
};

struct TurnFound {
  bool same_message = true;
  std::string reply;
};

struct TurnNotFound {};

struct MemoriesRecalled {};

struct ModelAnswered {
  std::string text;
  bool cut_short = false;  // It was ended from outside.
};

struct ReplyComposed {
  std::string text;
};

struct TurnStored {
  bool duplicate = false;  // The turn was in the journal before, with a reply of its own.
};

struct ClientLeft {};

struct StepFailed {  // Whatever was to be done last.
  Error error;
};

using Event = std::variant<TurnRequested, TurnFound, TurnNotFound, MemoriesRecalled, ModelAnswered,
                           ReplyComposed, TurnStored, ClientLeft, StepFailed>;

// What is to be done next.
struct LookUpTurn {};

struct RecallMemories {};

struct AskModel {};

struct StopModel {};

struct ComposeReply {};

struct StoreTurn {
  std::string reply;
  Origin origin = Origin::kChat;
};

struct GiveReply {
  std::string reply;
  bool cut_short = false;
  bool repeated = false;  // It is the reply of an earlier request.
};

struct GiveError {
  Error error;
};

using Effect = std::variant<LookUpTurn, RecallMemories, AskModel, StopModel, ComposeReply,
                            StoreTurn, GiveReply, GiveError>;

struct Step {
  State state;
  std::optional<Effect> effect;
};

[[nodiscard]] Step Advance(State state, Event event);

// Replied or Failed: no event changes it any more.
[[nodiscard]] bool IsOver(const State& state);

}  // namespace umbranet::workflow
