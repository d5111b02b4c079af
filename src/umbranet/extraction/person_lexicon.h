#pragma once

#include <cstdint>
#include <string_view>

namespace umbranet {

// The words that facts about people are made of: kinship, pets, jobs, diets and the like. Whole
// lower-case words, looked up in closed tables; plurals are found by their singular. Pure; safe
// from any thread.

enum class Gender : std::uint8_t { kUnknown, kFemale, kMale };

struct Kin {
  std::string_view relation;  // The canonical word: "mother" for "mom". Empty: no kin word.
  Gender gender = Gender::kUnknown;
  bool plural = false;
};

// "sister", "moms", "coworker", "ex-wife". A friend and a boss are relations as well.
[[nodiscard]] Kin KinOf(std::string_view word);

// A mother, a family, friends: relations that say nothing by being there.
[[nodiscard]] bool IsSharedByAll(std::string_view relation);

enum class NounClass : std::uint8_t {
  kNone,
  kPet,
  kVehicle,
  kOwnable,  // House, garden, guitar: what people say "my" and "I have a" of.
  kBody,     // Hair, eyes, tattoo.
  kIllness,
  kSchool,
  kJob,
  kDegree,
  kInstrument,
  kSport,
  kWorkplace,
};

// Of the singular or the plural of a noun.
[[nodiscard]] NounClass ClassOf(std::string_view noun);

// Where people work, schools and what one may also own (shops, farms) included.
[[nodiscard]] bool IsWorkplace(std::string_view noun);

// "nurse", "engineer", "writer": in the table, or made like a trade from a known verb.
[[nodiscard]] bool IsJob(std::string_view noun);
[[nodiscard]] bool IsDiet(std::string_view word);
[[nodiscard]] bool IsBelief(std::string_view word);
[[nodiscard]] bool IsNationality(std::string_view word);
[[nodiscard]] bool IsMaritalStatus(std::string_view word);
[[nodiscard]] bool IsPhysicalAdjective(std::string_view word);
[[nodiscard]] bool IsColor(std::string_view word);
[[nodiscard]] bool IsLanguage(std::string_view word);
[[nodiscard]] Gender GenderOfNoun(std::string_view word);  // "woman", "guy"

// Words that are no name although they may stand in upper case.
[[nodiscard]] bool IsCommonWord(std::string_view word);

// The singular of a regular plural, or the word itself.
[[nodiscard]] std::string_view SingularOf(std::string_view noun);

}  // namespace umbranet
