// Goal: a text becomes the tokens that the model was trained on.
// Method: a small vocabulary of our own, and the cases in which tokenizers of this family differ.
// That the real vocabulary is read and used is the embedder contract's business.
#include "umbranet/adapters/local_embedder/wordpiece_tokenizer.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

const std::vector<std::string>& Pieces() {
  static const std::vector<std::string> pieces{
      "[PAD]",    "[UNK]",  "[CLS]",    "[SEP]",  "play",     "##ing",   "##ed", "un",
      "##afford", "##able", "cafe",     "resume", ",",        "!",       "'",    "s",
      "\u6771",   "\u4eac", "##\u4eac", "the",    "\u00f8",   "[",       "]",    "##s",
      "cls",      "a",      "##a",      "\u1112", "##\u1161", "##\u11ab"};
  return pieces;
}

WordPieceTokenizer Tokenizer() {
  return WordPieceTokenizer::FromVocabulary(Pieces()).value();
}

// The tokens as text, without the marks around them.
std::string Tokens(std::string_view text, std::size_t tokens_max = 64) {
  const std::vector<TokenId> ids = Tokenizer().Encode(text, tokens_max);
  EXPECT_EQ(Pieces().at(static_cast<std::size_t>(ids.front())), "[CLS]");
  EXPECT_EQ(Pieces().at(static_cast<std::size_t>(ids.back())), "[SEP]");
  std::string joined;
  for (std::size_t i = 1; i + 1 < ids.size(); ++i) {
    joined += (joined.empty() ? "" : " ") + Pieces().at(static_cast<std::size_t>(ids[i]));
  }
  return joined;
}

TEST(WordPieceTokenizer, WritesAWordWithTheLongestPieces) {
  EXPECT_EQ(Tokens("playing played"), "play ##ing play ##ed");
  EXPECT_EQ(Tokens("unaffordable"), "un ##afford ##able");
}

TEST(WordPieceTokenizer, TakesAWordThatCannotBeWrittenForOneUnknownToken) {
  EXPECT_EQ(Tokens("playful the"), "[UNK] the");
}

TEST(WordPieceTokenizer, BringsLettersToLowerCaseWithoutAccents) {
  EXPECT_EQ(Tokens("Caf\u00c9 R\u00e9sum\u00e9"), "cafe resume");
  EXPECT_EQ(Tokens("cafe\u0301"), "cafe");
}

TEST(WordPieceTokenizer, KeepsALetterThatIsNoneWithAnAccent) {
  EXPECT_EQ(Tokens("\u00d8"), "\u00f8");
}

TEST(WordPieceTokenizer, SplitsAroundPunctuation) {
  EXPECT_EQ(Tokens("play,playing!"), "play , play ##ing !");
  EXPECT_EQ(Tokens("the cafe's"), "the cafe ' s");
  EXPECT_EQ(Tokens("play\u2014playing"), "play [UNK] play ##ing");
}

TEST(WordPieceTokenizer, TakesEachHanCharacterForAWord) {
  EXPECT_EQ(Tokens("\u6771\u4eac"), "\u6771 \u4eac");
  EXPECT_EQ(Tokens("play\u6771the"), "play \u6771 the");
}

TEST(WordPieceTokenizer, TakesAHangulSyllableApart) {
  EXPECT_EQ(Tokens("\ud55c"), "\u1112 ##\u1161 ##\u11ab");
}

TEST(WordPieceTokenizer, ReadsAnySpaceAsSpaceAndLeavesControlsOut) {
  EXPECT_EQ(Tokens("the\u00a0play\n\tthe\u3000cafe"), "the play the cafe");
  EXPECT_EQ(Tokens("pl\u200bay\x01\x7f the"), "play the");
  EXPECT_EQ(Tokens("pl\x0b\u0085"
                   "ay"),
            "play");
}

TEST(WordPieceTokenizer, LeavesOutBytesThatAreNotUtf8) {
  EXPECT_EQ(Tokens("pl\xff\xc3"
                   "ay the\xe2\x82"),
            "play the");
}

TEST(WordPieceTokenizer, NeverReadsItsOwnMarksOutOfAText) {
  EXPECT_EQ(Tokens("[CLS]"), "[ cls ]");
}

TEST(WordPieceTokenizer, TakesAWordOfMoreThanAHundredCharactersForUnknown) {
  EXPECT_EQ(Tokens(std::string(101, 'a') + " the"), "[UNK] the");
  std::string whole = "a";
  for (int i = 1; i < 100; ++i) {
    whole += " ##a";
  }
  EXPECT_EQ(Tokens(std::string(100, 'a'), 128), whole);
}

TEST(WordPieceTokenizer, CutsALongTextAtItsEnd) {
  EXPECT_EQ(Tokens("the play the play", 5), "the play the");
  EXPECT_EQ(Tokens("the unaffordable", 4), "the un");
  EXPECT_EQ(Tokens("the", 2), "");
}

TEST(WordPieceTokenizer, MakesOfNothingTheTwoMarks) {
  EXPECT_EQ(Tokens(""), "");
  EXPECT_EQ(Tokens(" \n "), "");
}

class VocabularyFile : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
};

TEST_F(VocabularyFile, IsReadFromLines) {
  const auto tokenizer = WordPieceTokenizer::Load(
      Write("wordpiece_vocab.txt", "[UNK]\r\n[CLS]\r\n[SEP]\r\nplay\r\n##ing"));
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ(tokenizer->Encode("playing", 8), (std::vector<TokenId>{1, 3, 4, 2}));
}

TEST_F(VocabularyFile, IsReadFromATokenizersJson) {
  const auto tokenizer = WordPieceTokenizer::Load(
      Write("wordpiece_tokenizer.json",
            R"({"model": {"vocab": {"[CLS]": 1, "[UNK]": 0, "play": 3, "[SEP]": 2}}})"));
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ(tokenizer->Encode("Play on", 8), (std::vector<TokenId>{1, 3, 0, 2}));
}

TEST_F(VocabularyFile, IsRefusedWithASentenceWhenItIsSomethingElse) {
  for (const char* text : {"", "{", "[]", R"({"model": {"vocab": [["a", -1.5]]}})",
                           R"({"model": {"vocab": {"[CLS]": 0, "[SEP]": 1, "[UNK]": 7}}})",
                           R"({"model": {"vocab": {"[CLS]": 0, "[SEP]": 1, "a": 2}}})"}) {
    const auto tokenizer = WordPieceTokenizer::Load(Write("wordpiece_wrong.json", text));
    ASSERT_FALSE(tokenizer.ok()) << text;
    EXPECT_EQ(tokenizer.error().code, ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(WordPieceTokenizer::Load(testing::TempDir() + "/no_such.json").error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace umbranet
