#include "umbranet/reflection/summary_text.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/base/token_estimate.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::size_t kSentenceBytesMax = 240;
constexpr std::size_t kContentWordsMin = 2;
constexpr double kWorthKeeping = 1.5;
// What has been carried along gives way to equals that are new.
constexpr double kCarriedAlong = 0.9;
constexpr std::size_t kDateBytes = 10;  // "2024-05-03"

// Stems, as Tokenize makes them.
constexpr std::array<std::string_view, 34> kDecisionTerms = {
    "decid",  "agre",   "plan",  "choos", "book",    "schedul",  "deadlin", "must", "need",
    "promis", "prefer", "alway", "never", "rememb",  "move",     "start",   "quit", "marri",
    "buy",    "sell",   "sign",  "hire",  "allerg",  "birthday", "live",    "work", "name",
    "like",   "hate",   "love",  "want",  "graduat", "born",     "call"};
constexpr std::array<std::string_view, 27> kDateTerms = {
    "monday",    "tuesday",  "wednesday", "thursday", "friday", "saturday", "sunday",
    "januari",   "februari", "march",     "april",    "may",    "june",     "juli",
    "august",    "septemb",  "octob",     "novemb",   "decemb", "today",    "tomorrow",
    "yesterday", "tonight",  "week",      "month",    "year",   "weekend"};
constexpr std::array<std::string_view, 10> kFirstPerson = {"i",  "im", "ive", "id", "ill",
                                                           "my", "we", "our", "me", "us"};

struct Sentence {
  std::string line;                // As it stands in the summary.
  std::vector<std::string> terms;  // Sorted, each once.
  double score = 0;
  std::size_t order = 0;
};

template <typename Table>
bool IsIn(const Table& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

bool HasDigit(std::string_view text) {
  return text.find_first_of("0123456789") != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kEdge = " \t\r\n-*#>";
  const std::size_t begin = text.find_first_not_of(kEdge);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// At line ends, and after . ! ? before a space that a lower-case letter does not follow ("e.g.
// it").
std::vector<std::string_view> SplitSentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  const auto cut = [&](std::size_t end) {
    if (const std::string_view sentence = Trimmed(text.substr(begin, end - begin));
        !sentence.empty()) {
      sentences.push_back(sentence);
    }
    begin = end;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      cut(i);
    } else if ((text[i] == '.' || text[i] == '!' || text[i] == '?') && i + 2 < text.size() &&
               text[i + 1] == ' ' && !(text[i + 2] >= 'a' && text[i + 2] <= 'z')) {
      cut(i + 1);
    }
  }
  cut(text.size());
  return sentences;
}

// How much a sentence carries; below kWorthKeeping it is small talk.
double Score(const std::vector<TextToken>& tokens, bool question) {
  double names = 0;
  double dates = 0;
  double decisions = 0;
  double first_person = 0;
  std::size_t content_words = 0;
  for (const TextToken& token : tokens) {
    content_words += token.stop_word ? 0U : 1U;
    if (IsIn(kFirstPerson, token.folded)) {
      first_person = 1;
    } else if (token.capitalized && !token.sentence_start) {
      names += 1;
    }
    if (HasDigit(token.folded) || IsIn(kDateTerms, token.term)) {
      dates += 1;
    }
    if (IsIn(kDecisionTerms, token.term)) {
      decisions += 1;
    }
  }
  if (content_words < kContentWordsMin) {
    return 0;
  }
  const double score =
      first_person + std::min(names, 3.0) + std::min(dates, 2.0) + std::min(decisions, 2.0);
  return question ? score - 2 : score;
}

Sentence MakeSentence(std::string line, std::string_view said, double weight) {
  Sentence sentence;
  sentence.line = std::move(line);
  const std::vector<TextToken> tokens = Tokenize(said);
  sentence.score = Score(tokens, said.ends_with('?')) * weight;
  std::set<std::string> terms;
  for (const TextToken& token : tokens) {
    if (!token.stop_word) {
      terms.insert(token.term);
    }
  }
  sentence.terms.assign(terms.begin(), terms.end());
  return sentence;
}

void AppendSaid(std::vector<Sentence>& out, const Interaction& turn, std::string_view speaker,
                std::string_view text, double weight) {
  const std::string prefix =
      FormatTimestamp(turn.occurred_at).substr(0, kDateBytes) + " " + std::string(speaker) + ": ";
  for (const std::string_view whole : SplitSentences(text)) {
    const std::string_view said = TruncateUtf8(whole, kSentenceBytesMax);
    std::string line = prefix + std::string(said);
    if (said.size() < whole.size()) {
      line += "\xE2\x80\xA6";
    }
    out.push_back(MakeSentence(std::move(line), said, weight));
  }
}

void AppendPrevious(std::vector<Sentence>& out, std::string_view previous) {
  while (!previous.empty()) {
    const std::size_t end = previous.find('\n');
    const std::string_view line = previous.substr(0, end);
    previous = end == std::string_view::npos ? std::string_view{} : previous.substr(end + 1);
    const std::size_t colon = line.find(": ");
    const std::string_view said = colon == std::string_view::npos ? line : line.substr(colon + 2);
    if (!line.empty()) {
      out.push_back(MakeSentence(std::string(line), said, kCarriedAlong));
    }
  }
}

// The same words again say nothing new.
bool Repeats(const Sentence& a, const Sentence& b) {
  std::vector<std::string> shared;
  std::set_intersection(a.terms.begin(), a.terms.end(), b.terms.begin(), b.terms.end(),
                        std::back_inserter(shared));
  return shared.size() * 10 >= std::max(a.terms.size(), b.terms.size()) * 9;
}

}  // namespace

std::string SummarizeTurns(std::string_view previous, std::span<const Interaction> turns,
                           std::size_t token_budget) {
  std::vector<Sentence> sentences;
  AppendPrevious(sentences, previous);
  for (const Interaction& turn : turns) {
    AppendSaid(sentences, turn, turn.speaker, turn.user_message, 1);
    if (turn.origin != Origin::kOfflineChat) {
      // The assistant's words matter where they settle something; its explanations are long.
      AppendSaid(sentences, turn, kAssistantSpeaker, turn.assistant_response, 0.5);
    }
  }
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    sentences[i].order = i;
  }
  std::erase_if(sentences,
                [](const Sentence& each) { return each.score < kWorthKeeping * kCarriedAlong; });
  std::sort(sentences.begin(), sentences.end(), [](const Sentence& a, const Sentence& b) {
    return a.score != b.score ? a.score > b.score : a.order > b.order;
  });
  std::vector<Sentence> chosen;
  std::size_t tokens = 0;
  for (Sentence& sentence : sentences) {
    const std::size_t cost = EstimateTokens(sentence.line) + 1;
    const bool repeats = std::any_of(chosen.begin(), chosen.end(),
                                     [&](const Sentence& each) { return Repeats(each, sentence); });
    if (!repeats && tokens + cost <= token_budget) {
      tokens += cost;
      chosen.push_back(std::move(sentence));
    }
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const Sentence& a, const Sentence& b) { return a.order < b.order; });
  std::string summary;
  for (const Sentence& sentence : chosen) {
    summary += summary.empty() ? "" : "\n";
    summary += sentence.line;
  }
  return summary;
}

}  // namespace umbranet
