#include "umbranet/memory/user_profile.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "umbranet/domain/fact.h"

namespace umbranet {
namespace {

enum class Section : std::uint8_t {
  kIdentity,
  kHomeAndWork,
  kPeople,
  kHealth,
  kTastes,
  kPossessions,
  kActivities,
  kPlansAndEvents,
  kOther,
  kOthers,
  kHowToAnswer,
};

struct SectionTitle {
  std::string_view name;
  std::string_view title;
};

constexpr std::array<SectionTitle, 11> kTitles = {{{"identity", "Who it is"},
                                                   {"home_and_work", "Home, work and study"},
                                                   {"people", "Family and friends"},
                                                   {"health", "Health"},
                                                   {"tastes", "Tastes and beliefs"},
                                                   {"possessions", "Belongings and pets"},
                                                   {"activities", "Skills and pastimes"},
                                                   {"plans_and_events", "Plans and events"},
                                                   {"other", "Other"},
                                                   {"others", "Others, as the user tells"},
                                                   {"how_to_answer", "How to answer"}}};

Section SectionOf(const Fact& fact) {
  if (fact.subject != kSelfEntity) {
    return Section::kOthers;
  }
  switch (fact.predicate) {
    case Predicate::kName:
    case Predicate::kAge:
    case Predicate::kBirthday:
    case Predicate::kGender:
    case Predicate::kNationality:
    case Predicate::kOrigin:
    case Predicate::kPhysical:
      return Section::kIdentity;
    case Predicate::kLivesIn:
    case Predicate::kWorksAs:
    case Predicate::kWorksAt:
    case Predicate::kStudies:
      return Section::kHomeAndWork;
    case Predicate::kRelation:
    case Predicate::kRelationshipStatus:
      return Section::kPeople;
    case Predicate::kHealth:
      return Section::kHealth;
    case Predicate::kLikes:
    case Predicate::kDislikes:
    case Predicate::kFavorite:
    case Predicate::kBelief:
      return Section::kTastes;
    case Predicate::kHasPet:
    case Predicate::kOwns:
      return Section::kPossessions;
    case Predicate::kSkill:
    case Predicate::kHobby:
    case Predicate::kMember:
    case Predicate::kVisited:
      return Section::kActivities;
    case Predicate::kEvent:
    case Predicate::kPlan:
    case Predicate::kWants:
      return Section::kPlansAndEvents;
    case Predicate::kState:
    case Predicate::kOther:
      break;
  }
  return Section::kOther;
}

// Of a fact or a listed rule.
template <typename Memory>
bool IsInForce(const Memory& memory, Timestamp now) {
  return !memory.superseded_by && (!memory.valid_to || *memory.valid_to > now);
}

// A line with what orders it.
struct Entry {
  std::uint32_t evidence = 0;
  Timestamp occurred_at{};
  ProfileLine line;
};

bool ComesBefore(const Entry& a, const Entry& b) {
  if (a.evidence != b.evidence) {
    return a.evidence > b.evidence;
  }
  return a.occurred_at != b.occurred_at ? a.occurred_at > b.occurred_at
                                        : a.line.memory_id < b.line.memory_id;
}

std::string PageOf(const std::vector<ProfileSection>& sections) {
  std::string page;
  for (const ProfileSection& section : sections) {
    const auto* const title =
        std::find_if(kTitles.begin(), kTitles.end(),
                     [&section](const SectionTitle& each) { return each.name == section.name; });
    page += (page.empty() ? "## " : "\n## ") + std::string(title->title) + "\n\n";
    for (const ProfileLine& line : section.lines) {
      page += "- ";
      // A memory's text may have lines of its own.
      std::replace_copy(line.text.begin(), line.text.end(), std::back_inserter(page), '\n', ' ');
      page += line.since ? " (since " + FormatTimestamp(*line.since).substr(0, 10) + ")\n" : "\n";
    }
  }
  return page;
}

}  // namespace

UserProfile BuildProfile(const KnowledgeGraph& graph, std::span<const MemoryItem> rules,
                         Timestamp now, std::size_t section_max) {
  std::array<std::vector<Entry>, kTitles.size()> entries;
  for (const Fact& fact : graph.facts) {
    if (IsInForce(fact, now)) {
      entries.at(static_cast<std::size_t>(SectionOf(fact)))
          .push_back({fact.evidence,
                      fact.occurred_at,
                      {fact.memory_id, fact.text, fact.valid_from, fact.sources}});
    }
  }
  for (const MemoryItem& rule : rules) {
    if (IsInForce(rule, now)) {
      entries.at(static_cast<std::size_t>(Section::kHowToAnswer))
          .push_back({static_cast<std::uint32_t>(rule.sources.size()),
                      rule.occurred_at,
                      {rule.memory_id, rule.text, std::nullopt, rule.sources}});
    }
  }
  UserProfile profile;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::vector<Entry>& of_section = entries.at(i);
    if (of_section.empty()) {
      continue;
    }
    std::sort(of_section.begin(), of_section.end(), ComesBefore);
    of_section.resize(std::min(of_section.size(), section_max));
    ProfileSection& section = profile.sections.emplace_back();
    section.name = kTitles.at(i).name;
    for (Entry& entry : of_section) {
      section.lines.push_back(std::move(entry.line));
    }
  }
  profile.text = PageOf(profile.sections);
  return profile;
}

}  // namespace umbranet
