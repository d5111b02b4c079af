// Goal: one analysis of words that indexing, ranking and extraction can rest on.
// Method: sentences written for the purpose, in several scripts, and text that tries to break it.
#include "umbranet/base/text_analysis.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TextAnalysis, KeepsTheStemsOfContentWordsInOrder) {
  EXPECT_THAT(AnalyzeTerms("The sisters were painting two small boats"),
              ElementsAre("sister", "paint", "two", "small", "boat"));
}

TEST(TextAnalysis, BringsFormsOfOneWordTogether) {
  EXPECT_EQ(AnalyzeTerms("bought"), AnalyzeTerms("buying"));
  EXPECT_EQ(AnalyzeTerms("children"), AnalyzeTerms("child's"));
  EXPECT_EQ(AnalyzeTerms("Running"), AnalyzeTerms("ran"));
  EXPECT_EQ(AnalyzeTerms("JOSÉ"), AnalyzeTerms("jose"));
  EXPECT_EQ(AnalyzeTerms("МОСКВА"), AnalyzeTerms("москва"));
  EXPECT_EQ(AnalyzeTerms("ΑΘΉΝΑ"), AnalyzeTerms("αθηνα"));
}

TEST(TextAnalysis, DropsPossessivesAndContractedEndings) {
  EXPECT_THAT(AnalyzeTerms("Ana's bike isn't hers, they'll say; I’ve seen Tom’s."),
              ElementsAre("ana", "bike", "say", "see", "tom"));
}

TEST(TextAnalysis, DoesNotTakeAWordForTheContractionItLooksLike) {
  EXPECT_THAT(AnalyzeTerms("I was ill in a shed by the well with a shell"),
              ElementsAre("ill", "shed", "well", "shell"));
}

TEST(TextAnalysis, KeepsNamesThatAreSpelledLikeStopWords) {
  EXPECT_THAT(AnalyzeTerms("We met Will in May. It may rain in the US."),
              ElementsAre("meet", "will", "may", "rain", "us"));
  EXPECT_THAT(AnalyzeTerms("May 5 suits us"), ElementsAre("may", "5", "suit"));
  EXPECT_THAT(AnalyzeName("The Who"), ElementsAre("the", "who"));
}

TEST(TextAnalysis, JoinsThousandsAndSplitsOtherNumbers) {
  EXPECT_THAT(AnalyzeTerms("$85,000 or 1,2 at 10:30"), ElementsAre("85000", "1", "2", "10", "30"));
}

TEST(TextAnalysis, SplitsAtHyphensAndMarkup) {
  EXPECT_THAT(AnalyzeTerms("**self-care** \"quoted\" NEAR(x) col:y*"),
              ElementsAre("self", "care", "quot", "near", "x", "col", "y"));
}

TEST(TextAnalysis, PairsTheCharactersOfScriptsWithoutSpaces) {
  EXPECT_THAT(AnalyzeTerms("東京都です。"), ElementsAre("東京", "京都", "都で", "です"));
  EXPECT_THAT(AnalyzeTerms("猫"), ElementsAre("猫"));
}

TEST(TextAnalysis, FindsNothingWhereNothingIsSaid) {
  EXPECT_THAT(AnalyzeTerms(""), IsEmpty());
  EXPECT_THAT(AnalyzeTerms("?! … \xF0\x9F\x98\x80"), IsEmpty());
  EXPECT_THAT(AnalyzeTerms("what is it that you have?"), IsEmpty());
}

TEST(TextAnalysis, TreatsBrokenBytesAsSeparators) {
  EXPECT_THAT(AnalyzeTerms("tea\xFF\xC3"
                           "cup\xE2\x82"),
              ElementsAre("tea", "cup"));
}

TEST(TextAnalysis, CutsEndlessWordsWithoutCuttingACharacter) {
  std::string letters;
  for (int i = 0; i < 500; ++i) {
    letters += "ж";
  }
  const auto terms = AnalyzeTerms(letters + " x" + std::string(500, 'q'));
  ASSERT_EQ(terms.size(), 2U);
  EXPECT_EQ(terms[0].size(), kTermBytesMax);
  EXPECT_LE(terms[1].size(), kTermBytesMax);
}

TEST(TextAnalysis, TokensPointBackIntoTheText) {
  const std::string text = "So: Ana’s café. Why?";
  const auto tokens = Tokenize(text);
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(text.substr(tokens[1].begin, tokens[1].end - tokens[1].begin), "Ana’s");
  EXPECT_EQ(tokens[1].folded, "ana");
  EXPECT_EQ(text.substr(tokens[2].begin, tokens[2].end - tokens[2].begin), "café");
  EXPECT_EQ(tokens[2].folded, "cafe");
  EXPECT_FALSE(tokens[2].sentence_start);
  EXPECT_TRUE(tokens[3].sentence_start);
  EXPECT_TRUE(tokens[3].stop_word);
}

TEST(TextAnalysis, NamesADayByTheTermsAQuestionWouldUse) {
  using namespace std::chrono;
  const Timestamp time = sys_days{2024y / May / 3d} + 23h;
  EXPECT_THAT(DateTerms(time), ElementsAre("friday", "3", "may", "2024"));
  EXPECT_THAT(AnalyzeTerms("the talk on Friday, 3 May 2024"),
              ElementsAre("talk", "friday", "3", "may", "2024"));
}

TEST(TextAnalysis, FoldsWholeTextsInPlace) {
  EXPECT_EQ(FoldCase("ŁÓDŹ & Straße, Ελλάς"), "lodz & strasse, ελλασ");
}

TEST(TextAnalysis, ServesManyThreadsAtOnce) {
  const std::string text = "they were buying several wonderful paintings in the neighbourhood";
  const auto expected = AnalyzeTerms(text);
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : wrong) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          count += AnalyzeTerms(text) == expected ? 0 : 1;
        }
      });
    }
  }
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

RC_GTEST_PROP(TextAnalysisProperty, TermsHoldNoSeparatorAndTokensStayInBounds,
              (const std::string& text)) {
  for (const TextToken& token : Tokenize(text)) {
    RC_ASSERT(!token.term.empty());
    RC_ASSERT(token.begin < token.end);
    RC_ASSERT(token.end <= text.size());
    for (const char c : token.term) {
      const auto byte = static_cast<unsigned char>(c);
      RC_ASSERT(byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
    }
  }
}

}  // namespace
}  // namespace umbranet
