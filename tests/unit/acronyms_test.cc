// Goal: words that stand side by side are told by their acronym, and by no other word.
// Method: invented texts.
#include "umbranet/memory/acronyms.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> WrittenOf(std::string_view text) {
  std::vector<std::string> written;
  for (const Acronym& acronym : AcronymsOf(text, Tokenize(text))) {
    written.push_back(acronym.written);
  }
  return written;
}

TEST(Acronyms, AreMadeOfThreeToFiveWordsSideBySide) {
  EXPECT_THAT(WrittenOf("two-factor authentication"), ElementsAre("2FA"));
  EXPECT_THAT(WrittenOf("solar powered lamp factory"), ElementsAre("SPL", "SPLF", "PLF"));
  EXPECT_THAT(WrittenOf("solar lamp"), IsEmpty());
}

TEST(Acronyms, NameTheWordsTheyAreMadeOf) {
  const std::string_view text = "my solar powered lamp";
  const std::vector<Acronym> acronyms = AcronymsOf(text, Tokenize(text));
  ASSERT_EQ(acronyms.size(), 1U);
  EXPECT_EQ(acronyms[0].first, 1U);
  EXPECT_EQ(acronyms[0].words, 3U);
}

TEST(Acronyms, DoNotReachAcrossStopWordsMarksFiguresAndOtherScripts) {
  for (const char* text : {"solar lamp of the factory", "solar, powered lamp", "solar 12 lamp",
                           "solar. Powered lamp", "solar \u00e9lan lamp \u03b1\u03b2 lamp", ""}) {
    EXPECT_THAT(WrittenOf(text), testing::Not(testing::Contains("SPL"))) << text;
  }
  EXPECT_THAT(WrittenOf("solar, powered lamp"), IsEmpty());
  EXPECT_THAT(WrittenOf("solar 12 lamp"), IsEmpty());
  EXPECT_THAT(WrittenOf("solar \u03b1\u03b2 lamp"), IsEmpty());
}

TEST(Acronyms, AreFoundAsWordsInCapitals) {
  EXPECT_TRUE(IsWritten("CAT", "the CAT"));
  EXPECT_TRUE(IsWritten("CAT", "two CATs, left"));
  EXPECT_TRUE(IsWritten("CAT", "SCAT or CAT?"));
  EXPECT_FALSE(IsWritten("CAT", "the cat"));
  EXPECT_FALSE(IsWritten("CAT", "SCAT"));
  EXPECT_FALSE(IsWritten("CAT", "CATSUP"));
  EXPECT_FALSE(IsWritten("CAT", "CATsup"));
  EXPECT_FALSE(IsWritten("CAT", "CAT\u00c9"));
  EXPECT_FALSE(IsWritten("CAT", ""));
}

}  // namespace
}  // namespace umbranet
