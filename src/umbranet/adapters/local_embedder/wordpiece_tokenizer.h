// From text to the numbers that a model of the uncased BERT family reads.
//
// The text is cleaned of controls, brought to lower case and freed of accents; it is split at white
// space, around punctuation and around each Han character; every word is then written with the
// longest pieces of the vocabulary, from its start on, "##" before each but the first (WordPiece,
// https://arxiv.org/abs/1810.04805). A word that cannot be written so, or is longer than 100
// characters, is one unknown token. Bytes that are not UTF-8 are left out.
//
// Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/base/result.h"

namespace umbranet {

using TokenId = std::int64_t;

class WordPieceTokenizer {
 public:
  // A tokenizer.json of the Hugging Face tokenizers library, or a vocab.txt with one piece a line,
  // told apart by the name's ending. kNotFound: no such file. kInvalidArgument: it is something
  // else, or lacks [CLS], [SEP] or [UNK].
  static Result<WordPieceTokenizer> Load(const std::string& path);

  // The pieces in the order of their numbers.
  static Result<WordPieceTokenizer> FromVocabulary(const std::vector<std::string>& pieces);

  // [CLS], the text's tokens as far as they fit, [SEP]: at most `tokens_max`, which is at least 2.
  [[nodiscard]] std::vector<TokenId> Encode(std::string_view text, std::size_t tokens_max) const;

 private:
  using Vocabulary = std::unordered_map<std::string_view, TokenId>;

  WordPieceTokenizer() = default;

  void AppendPieces(std::u32string_view word, std::vector<TokenId>& tokens) const;

  // The pieces' bytes, which the keys point into.
  std::shared_ptr<const std::string> bytes_;
  Vocabulary beginnings_;     // "play"
  Vocabulary continuations_;  // "##ing", without the marks
  std::size_t piece_bytes_max_ = 0;
  TokenId begin_ = 0;
  TokenId end_ = 0;
  TokenId unknown_ = 0;
};

}  // namespace umbranet
