#include "umbranet/memory/recall_explanation.h"

#include <algorithm>
#include <utility>

namespace umbranet {
namespace {

using Explained = std::pair<double, ItemExplanation*>;  // What it is worth to the arm.

void NumberPlaces(RecallArm arm, std::vector<Explained>& found) {
  std::stable_sort(found.begin(), found.end(),
                   [](const Explained& a, const Explained& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i].second->found_by[arm] = i + 1;
  }
}

// What an arm gives to a half of a turn; nothing above 0: it did not find it.
double WorthTo(RecallArm arm, const ScoredHalf& half) {
  switch (arm) {
    case RecallArm::kLexical:
      return half.lexical;
    case RecallArm::kVector:
      return half.likeness;
    case RecallArm::kTime:
      return half.parts.time > 0 || half.parts.dated > 1 ? half.score : 0;
    case RecallArm::kNeighbour:
      return half.parts.neighbours;
    case RecallArm::kGraph:
      break;
  }
  return 0;
}

bool SharesASource(const MemoryItem& a, const MemoryItem& b) {
  return std::any_of(a.sources.begin(), a.sources.end(), [&](const SourceRef& source) {
    return std::find(b.sources.begin(), b.sources.end(), source) != b.sources.end();
  });
}

}  // namespace

std::string_view RecallArmName(RecallArm arm) {
  switch (arm) {
    case RecallArm::kLexical:
      return "lexical";
    case RecallArm::kVector:
      return "vector";
    case RecallArm::kGraph:
      return "graph";
    case RecallArm::kTime:
      return "time";
    case RecallArm::kNeighbour:
      return "neighbour";
  }
  return "";
}

std::string_view LeftOutReasonName(LeftOutReason reason) {
  switch (reason) {
    case LeftOutReason::kCovered:
      return "covered";
    case LeftOutReason::kSuperseded:
      return "superseded";
    case LeftOutReason::kSaysOnlyRule:
      return "says_only_a_rule";
    case LeftOutReason::kBelowLimit:
      return "below_limit";
  }
  return "";
}

RecallExplainer::RecallExplainer(const std::vector<ScoredHalf>& halves) {
  for (const ScoredHalf& half : halves) {
    ItemExplanation& explanation = known_[half.candidate.episode->memory_id];
    explanation.parts = half.parts;
    explanation.similarity = half.candidate.similarity;
  }
  for (const RecallArm arm :
       {RecallArm::kLexical, RecallArm::kVector, RecallArm::kTime, RecallArm::kNeighbour}) {
    std::vector<Explained> found;
    for (const ScoredHalf& half : halves) {
      if (const double worth = WorthTo(arm, half); worth > 0) {
        found.emplace_back(worth, &known_[half.candidate.episode->memory_id]);
      }
    }
    NumberPlaces(arm, found);
  }
}

void RecallExplainer::AddFact(const std::string& memory_id, double words,
                              const std::string& stands_for) {
  ItemExplanation explanation;
  if (const auto turn = known_.find(stands_for); !stands_for.empty() && turn != known_.end()) {
    explanation = turn->second;
    explanation.stands_for = stands_for;
  } else {
    explanation.parts.words = words;
  }
  facts_.emplace_back(words, memory_id);
  known_[memory_id] = std::move(explanation);
}

void RecallExplainer::LeaveOut(const MemoryItem& item, LeftOutReason reason,
                               std::string in_favour_of) {
  if (left_out_.size() < kLeftOutMax) {
    left_out_.push_back({item, {}, reason, std::move(in_favour_of)});
  }
}

ItemExplanation RecallExplainer::Of(const MemoryItem& item) const {
  const auto known = known_.find(item.memory_id);
  return known == known_.end() ? ItemExplanation{} : known->second;
}

RecallExplanation RecallExplainer::Explain(const std::vector<MemoryItem>& items) {
  std::vector<Explained> facts;
  for (const auto& [words, memory_id] : facts_) {
    if (words > 0) {
      facts.emplace_back(words, &known_[memory_id]);
    }
  }
  NumberPlaces(RecallArm::kGraph, facts);
  RecallExplanation explanation;
  for (const MemoryItem& item : items) {
    explanation.items.push_back(Of(item));
  }
  std::stable_sort(
      left_out_.begin(), left_out_.end(),
      [](const LeftOutItem& a, const LeftOutItem& b) { return a.item.score > b.item.score; });
  for (std::size_t i = 0; i < left_out_.size(); ++i) {
    LeftOutItem& left_out = left_out_[i];
    left_out.explanation = Of(left_out.item);
    if (left_out.reason != LeftOutReason::kCovered) {
      continue;
    }
    const auto covers = [&](const MemoryItem& item) { return SharesASource(item, left_out.item); };
    if (const auto item = std::find_if(items.begin(), items.end(), covers); item != items.end()) {
      left_out.in_favour_of = item->memory_id;
      continue;
    }
    const auto other = std::find_if(left_out_.begin(), left_out_.end(), [&](const auto& candidate) {
      return &candidate != &left_out && candidate.reason != LeftOutReason::kCovered &&
             covers(candidate.item);
    });
    left_out.in_favour_of = other == left_out_.end() ? "" : other->item.memory_id;
  }
  explanation.left_out = std::move(left_out_);
  return explanation;
}

}  // namespace umbranet
