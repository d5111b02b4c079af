#include "umbranet/memory/later_statements.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <tuple>

namespace umbranet {
namespace {

// A later statement about the same thing goes above the earlier one, which must be among the best
// to be worth looking at; as many as these are read.
constexpr std::size_t kOvertakenIn = 3;
constexpr std::size_t kOvertakingIn = 40;
// Of the earlier one's score the least that the later one has, and when another stands above both.
constexpr double kOvertakingShare = 0.3;
constexpr double kOvertakingAgainShare = 0.6;
constexpr std::size_t kStanceTextMax = 1024;

struct Statement {
  RankingEntry* entry = nullptr;
  Stance stance;
  double score = 0;  // Before anything was moved.
  bool among_best = false;

  [[nodiscard]] MemoryItem& Item() const { return entry->ranked.item; }
};

// Oldest first, so that a chain of changes is lifted to its last link.
std::vector<Statement> ReadStatements(const StanceReader& reader,
                                      std::vector<RankingEntry>& entries) {
  std::vector<Statement> statements;
  for (std::size_t i = 0; i < std::min(entries.size(), kOvertakingIn); ++i) {
    const MemoryItem& item = entries[i].ranked.item;
    if (entries[i].OfUser() || item.tier == Tier::kSemantic) {
      const std::string_view text = std::string_view(item.text).substr(0, kStanceTextMax);
      statements.push_back(
          {&entries[i], reader.Read(text), item.score, statements.size() < kOvertakenIn});
    }
  }
  std::sort(statements.begin(), statements.end(), [](const Statement& a, const Statement& b) {
    return std::tie(a.Item().occurred_at, a.Item().memory_id) <
           std::tie(b.Item().occurred_at, b.Item().memory_id);
  });
  return statements;
}

struct Overtaking {
  const Statement* later = nullptr;
  Bearing bearing = Bearing::kNone;
};

// What bears on statement `at`, oldest first. Marks flat contradictions on both.
std::vector<Overtaking> FindOvertaking(const StanceReader& reader,
                                       const std::vector<Statement>& statements, std::size_t at) {
  const Statement& earlier = statements[at];
  std::vector<Overtaking> found;
  for (std::size_t i = at + 1; i < statements.size(); ++i) {
    const Statement& later = statements[i];
    const bool comparable = later.Item().occurred_at != earlier.Item().occurred_at &&
                            later.score >= kOvertakingShare * earlier.score &&
                            later.entry->ranked.speaker == earlier.entry->ranked.speaker;
    const Bearing bearing =
        comparable ? reader.BearingOf(earlier.stance, later.stance) : Bearing::kNone;
    if (bearing == Bearing::kContradicts) {
      later.Item().contradicts.push_back(earlier.Item().memory_id);
      earlier.Item().contradicts.push_back(later.Item().memory_id);
    }
    if (bearing != Bearing::kNone) {
      found.push_back({&later, bearing});
    }
  }
  return found;
}

// Of several the one that says most of what is asked goes above the old one: the others may speak
// of something near, the more so when one stands above already.
void PutSuccessorAbove(const MemoryItem& old, const std::vector<Overtaking>& overtaking) {
  const Statement* successor = nullptr;
  bool overtaken = false;
  for (const Overtaking& each : overtaking) {
    if (each.later->Item().score > old.score) {
      overtaken = true;
    } else if (successor == nullptr || each.later->score > successor->score) {
      successor = each.later;
    }
  }
  if (successor != nullptr &&
      (!overtaken || successor->score >= kOvertakingAgainShare * old.score)) {
    successor->Item().score = old.score * kJustAbove;
  }
}

// What stands between the old one and the one that is on top of it now: of a value that changed
// twice the one in the middle, which the one on top overtakes in its turn and so speaks of the same
// thing as both; and of what was denied twice the other denial.
void PutLinksBetween(const StanceReader& reader, const MemoryItem& old,
                     const std::vector<Overtaking>& overtaking) {
  const auto top = std::max_element(overtaking.begin(), overtaking.end(),
                                    [](const Overtaking& a, const Overtaking& b) {
                                      return a.later->Item().score < b.later->Item().score;
                                    });
  if (top == overtaking.end()) {
    return;
  }
  MemoryItem& last = top->later->Item();
  double rise = old.score;
  for (const Overtaking& each : overtaking) {
    MemoryItem& link = each.later->Item();
    if (link.score > old.score) {
      continue;
    }
    const bool between = link.occurred_at < last.occurred_at &&
                         reader.BearingOf(each.later->stance, top->later->stance) != Bearing::kNone;
    const bool denies_too = each.bearing == Bearing::kContradicts && each.later->stance.denied != 0;
    if (between || denies_too) {
      rise *= kJustAbove;
      link.score = rise;
    }
  }
  last.score = std::max(last.score, rise * kJustAbove);
}

}  // namespace

void PutLaterStatementsFirst(const StanceReader& reader, std::vector<RankingEntry>& entries) {
  const std::vector<Statement> statements = ReadStatements(reader, entries);
  for (std::size_t at = 0; at < statements.size(); ++at) {
    if (statements[at].among_best) {
      const std::vector<Overtaking> overtaking = FindOvertaking(reader, statements, at);
      PutSuccessorAbove(statements[at].Item(), overtaking);
      PutLinksBetween(reader, statements[at].Item(), overtaking);
    }
  }
  std::sort(entries.begin(), entries.end(), Better);
}

}  // namespace umbranet
