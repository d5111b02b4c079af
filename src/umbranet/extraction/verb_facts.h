#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/extraction/fact_finder.h"

namespace umbranet {

// What one verb with its objects tells, in two readers: the life of somebody (where they live,
// work, study, whom they marry) and their tastes, doings and wishes.

enum class Frame : std::uint8_t {
  kLike,
  kDislike,
  kLive,
  kMove,
  kGrowUp,
  kWork,
  kStudy,
  kAttend,
  kGraduate,
  kTeach,
  kOwn,
  kBuy,
  kAdopt,
  kDrive,
  kPlay,
  kHobbyObject,  // The object alone names it: "collect stamps".
  kHobbyVerb,    // The verb does: "hike".
  kConsume,
  kSpeak,
  kWant,
  kPlan,
  kVisit,
  kJoin,
  kBelieve,
  kSuffer,
  kMarry,
  kBreakUp,
  kQuit,
  kRetire,
  kKnow,
  kWear,
  kTurn,
  kSpend,
  kRun,
  kMeet,
  kGet,
  kStart,
  kBecome,
  kStand,
  kTry,
  kDrop,
  kHurt,
};

// A statement and the sheet that its facts are written on.
class VerbFactWriter {
 public:
  VerbFactWriter(const Statement& s, FactSheet& sheet) : s_(s), sheet_(sheet), m_(sheet.m()) {}

 protected:
  using Extra = FactSheet::Extra;

  // Adds the phrase as the object; false when it says nothing.
  bool AddPhrase(Predicate predicate, Phrase phrase, const Extra& extra);
  // The objects after the verb; of the past only when `past_too`.
  bool AddObject(Predicate predicate, const Extra& extra, bool past_too);

  const Statement& s_;
  FactSheet& sheet_;
  const WordStream& m_;
};

void ReadLifeFacts(Frame frame, const Statement& statement, FactSheet& sheet);
void ReadTasteFacts(Frame frame, const Statement& statement, FactSheet& sheet);

// Words that stand for nothing by themselves: "it", "something", "time".
[[nodiscard]] bool IsEmptyObject(std::string_view word);
[[nodiscard]] bool IsUsable(const WordStream& m, Phrase phrase);

}  // namespace umbranet
