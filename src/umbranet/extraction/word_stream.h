#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace umbranet {

// A turn's message as extraction reads it: words with their places in the text, contractions taken
// apart ("don't" is "do" and "not"), cut into sentences and clauses. What is no speech of the
// speaker is left out: code blocks, quotations, descriptions of images in brackets.
// Linear in the text; any bytes are accepted. Pure, and safe from any thread.

struct Word {
  std::string_view text;  // Lower case, contractions expanded; a symbol is its own sign.
  std::size_t begin = 0;  // Bytes in the message; the halves of a contraction share them.
  std::size_t end = 0;
  bool symbol = false;
  bool capital = false;  // The first letter is upper case in the message.
  bool shouted = false;  // All letters are, and there are two at least: "NASA", "NOT".
  bool glued = false;    // Nothing between this word and the one before.
};

// Half-open ranges of words.
struct Clause {
  std::size_t first = 0;
  std::size_t last = 0;
  bool question = false;
  bool conditional = false;  // "if ...", "imagine ...", "I wish ..."
  bool reported = false;     // What somebody else says or thinks.
  bool joined = false;       // Continues the clause before it: "... and work as a nurse".
};

struct Sentence {
  std::size_t first = 0;  // Words.
  std::size_t last = 0;
  std::size_t begin = 0;  // Bytes of the message.
  std::size_t end = 0;
  bool question = false;  // Ends in a question mark.
  std::vector<Clause> clauses;
};

class WordStream {
 public:
  explicit WordStream(std::string_view message);
  WordStream(WordStream&&) noexcept = default;
  WordStream& operator=(WordStream&&) noexcept = default;
  WordStream(const WordStream&) = delete;
  WordStream& operator=(const WordStream&) = delete;
  ~WordStream() = default;

  [[nodiscard]] const std::vector<Word>& words() const { return words_; }

  [[nodiscard]] const std::vector<Sentence>& sentences() const { return sentences_; }

  // An empty word beyond the ends.
  [[nodiscard]] const Word& At(std::size_t i) const;

  [[nodiscard]] std::string_view Text(std::size_t i) const { return At(i).text; }

  [[nodiscard]] bool Is(std::size_t i, std::string_view text) const { return At(i).text == text; }

  [[nodiscard]] bool IsAny(std::size_t i, std::initializer_list<std::string_view> texts) const;
  // Whether the words of `phrase`, separated by single spaces, stand at `i`; the index after them,
  // or 0 when they do not.
  [[nodiscard]] std::size_t Match(std::size_t i, std::string_view phrase) const;
  // The message's own text of words [first, last).
  [[nodiscard]] std::string_view Source(std::size_t first, std::size_t last) const;
  // The message's own text of bytes [begin, end).
  [[nodiscard]] std::string_view Bytes(std::size_t begin, std::size_t end) const;

 private:
  void Cut(std::string_view lowered);
  void AddWord(std::string_view lowered, std::size_t begin, std::size_t end);
  void FindSentences();
  void FindClauses(Sentence& sentence) const;
  [[nodiscard]] bool AsksBack(std::size_t i, std::size_t end) const;
  [[nodiscard]] bool AnswersItself(std::size_t first, std::size_t i, std::size_t end) const;
  void JudgeClauses(Sentence& sentence) const;
  [[nodiscard]] std::size_t ClauseOpener(const Clause& clause) const;
  [[nodiscard]] bool Asks(const Sentence& sentence, const Clause& clause, std::size_t at) const;
  [[nodiscard]] static std::size_t EndOfWord(std::string_view lowered, std::size_t at);
  void AddSign(std::string_view lowered, std::size_t at);
  void Expand();

  std::vector<char> message_;  // Vectors rather than strings: moving them never moves the bytes.
  std::vector<char> lowered_;
  std::vector<Word> words_;
  std::vector<Sentence> sentences_;
};

}  // namespace umbranet
