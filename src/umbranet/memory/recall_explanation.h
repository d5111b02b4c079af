// Why recall answered as it did: which arm found an item and at which place there, what its score
// is made of, and what was left out in favour of what. Worked out only when asked for. Pure; may be
// called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "umbranet/domain/memory_item.h"
#include "umbranet/memory/turn_scores.h"

namespace umbranet {

// What brings a memory up. One may be found by several.
enum class RecallArm : std::uint8_t {
  kLexical,    // Its words.
  kVector,     // Its meaning.
  kGraph,      // A fact, by its text or the names in it.
  kTime,       // It speaks of the time asked about, or has a date where one is asked for.
  kNeighbour,  // The turns around it.
};

std::string_view RecallArmName(RecallArm arm);  // "lexical", "vector" ...

struct ItemExplanation {
  std::map<RecallArm, std::size_t> found_by;  // Its place among what the arm found, from 1.
  // A fact that stands in the place of a turn has the parts of the turn. Where a superseded
  // statement, a later one or a session was moved, the item's score differs from theirs.
  ScoreParts parts;
  std::optional<float> similarity;  // Cosine with the question.
  std::string stands_for;           // Of a fact: memory_id of the turn that it stands for.
};

enum class LeftOutReason : std::uint8_t {
  kCovered,       // All that it comes from is told by a better item.
  kSuperseded,    // What supersedes it stands higher, and the limit came before it.
  kSaysOnlyRule,  // It is a rule that is returned beside the items.
  kBelowLimit,
};

std::string_view LeftOutReasonName(LeftOutReason reason);  // "covered", "superseded" ...

struct LeftOutItem {
  MemoryItem item;
  ItemExplanation explanation;
  LeftOutReason reason = LeftOutReason::kBelowLimit;
  std::string in_favour_of;  // memory_id; empty where it was just not good enough.
};

// More are not told of.
inline constexpr std::size_t kLeftOutMax = 100;

struct RecallExplanation {
  std::vector<ItemExplanation> items;  // Parallel to what was recalled.
  std::vector<LeftOutItem> left_out;   // Best first.
};

// Takes notes while memories are ranked.
class RecallExplainer {
 public:
  explicit RecallExplainer(const std::vector<ScoredHalf>& halves);

  // `words` is what the fact's own words are worth, `stands_for` the id of a turn's half or empty.
  void AddFact(const std::string& memory_id, double words, const std::string& stands_for);
  void LeaveOut(const MemoryItem& item, LeftOutReason reason, std::string in_favour_of = {});

  [[nodiscard]] RecallExplanation Explain(const std::vector<MemoryItem>& items);

 private:
  [[nodiscard]] ItemExplanation Of(const MemoryItem& item) const;

  std::unordered_map<std::string, ItemExplanation> known_;  // By memory_id.
  std::vector<std::pair<double, std::string>> facts_;       // Worth of their words, memory_id.
  std::vector<LeftOutItem> left_out_;
};

}  // namespace umbranet
