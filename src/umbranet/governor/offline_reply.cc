#include "umbranet/governor/offline_reply.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "umbranet/base/utf8.h"
#include "umbranet/domain/consolidated_episode.h"
#include "umbranet/governor/answer_matching.h"
#include "umbranet/governor/spoken_date.h"

namespace umbranet {
namespace {

// What marks a reply as one of ours.
constexpr std::string_view kHowTo = "OPENAI_API_KEY";
constexpr std::string_view kNoModel =
    "(No language model is configured, so I can only quote what I remember; set OPENAI_API_KEY or "
    "OPENAI_BASE_URL for real answers.)";
// Where the conversation has been told how to.
constexpr std::string_view kStillNoModel = "(No language model is configured.)";

constexpr std::size_t kReadBytesMax = 8'192;  // Of one memory.
constexpr std::size_t kQuoteBytesMax = 300;
constexpr std::size_t kQuotesMax = 3;
constexpr std::size_t kOverviewQuotes = 5;
constexpr std::size_t kRulesMax = 2;
constexpr std::string_view kCut = "...";

// How much each merit counts against the share of the question's words that a memory holds.
constexpr double kStillHolds = 0.5;
constexpr double kUsersWords = 0.25;
constexpr double kRightKind = 0.15;
constexpr double kOneFact = 0.1;
// The last of several answers to what is so now over the first, or the other way round where the
// first is asked for; more than a word of the same family costs.
constexpr double kTimely = 0.25;
// By rank in the recall, and by age among equals.
constexpr double kRank = 0.01;

struct Quote {
  std::string text;
  std::string speaker;  // Empty: the user.
  bool assistant = false;
  bool rule = false;
  bool superseded = false;
  Timestamp said_at{};
  std::vector<SourceRef> sources;
  AskedQuestion::Match match;
  double merit = 0;
  std::size_t place = 0;  // Among the recalled.
};

const Interaction* FindSource(const std::vector<Interaction>& sources, const std::string& id) {
  const auto found = std::find_if(sources.begin(), sources.end(), [&](const Interaction& turn) {
    return turn.interaction_id == id;
  });
  return found == sources.end() ? nullptr : &*found;
}

std::string_view SpeakerOf(const MemoryItem& item, const Interaction* source) {
  std::string_view speaker = item.speaker;
  if (speaker.empty() && source != nullptr) {
    speaker = source->speaker;
  }
  return speaker == kDefaultSpeaker ? std::string_view() : speaker;
}

// Runs of blanks and line breaks become one space.
std::string OnOneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  if (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  return line;
}

// What a text states, without its questions; of a long one, the sentences about the question.
std::string StatementsOf(std::string_view text, const AskedQuestion& question,
                         std::string_view speaker) {
  std::vector<std::string_view> statements;
  std::size_t size = 0;
  for (const std::string_view sentence : SplitSentences(TruncateUtf8(text, kReadBytesMax))) {
    if (!IsQuestion(sentence)) {
      statements.push_back(sentence);
      size += sentence.size() + 1;
    }
  }
  std::string kept;
  for (const std::string_view sentence : statements) {
    const bool about = size <= kQuoteBytesMax || question.AsksForAnything() ||
                       question.Compare(sentence, speaker).words > 0;
    if (about && (kept.empty() || kept.size() + sentence.size() < kQuoteBytesMax)) {
      kept += kept.empty() ? "" : " ";
      kept += sentence;
    }
  }
  if (kept.size() > kQuoteBytesMax) {
    kept = std::string(TruncateUtf8(kept, kQuoteBytesMax - kCut.size())) + std::string(kCut);
  }
  return OnOneLine(kept);
}

// Nothing when the memory states nothing, or is one of our own replies.
std::optional<Quote> ReadQuote(const MemoryItem& item, const OfflineRequest& request,
                               const AskedQuestion& question) {
  if (IsConsolidatedId(item.memory_id)) {
    return std::nullopt;  // What nobody said cannot be quoted.
  }
  const SourceRef* first = item.sources.empty() ? nullptr : &item.sources.front();
  const Interaction* source =
      first == nullptr ? nullptr : FindSource(request.sources, first->interaction_id);
  Quote quote;
  quote.assistant =
      item.tier != Tier::kSemantic && first != nullptr && first->role == Role::kAssistant;
  const bool ours = (source != nullptr && source->origin == Origin::kOfflineChat) ||
                    item.text.find(kHowTo) != std::string::npos;
  if (quote.assistant && ours) {
    return std::nullopt;
  }
  quote.speaker = quote.assistant ? std::string_view() : SpeakerOf(item, source);
  quote.text = StatementsOf(item.text, question, quote.speaker);
  // Where the user only asked, the assistant's answer may be what is asked for again.
  const bool answered = source != nullptr && source->origin != Origin::kOfflineChat &&
                        item.tier != Tier::kSemantic && !source->assistant_response.empty();
  if (quote.text.empty() && answered && !quote.assistant) {
    quote.assistant = true;
    quote.speaker.clear();
    quote.text = StatementsOf(source->assistant_response, question, quote.speaker);
  }
  if (quote.text.empty()) {
    return std::nullopt;
  }
  quote.superseded = item.superseded_by.has_value() ||
                     (item.valid_to.has_value() && *item.valid_to <= request.asked_at);
  quote.rule = item.tier == Tier::kProcedural;
  quote.said_at = item.occurred_at;
  quote.sources = item.sources;
  // An answer is about what was asked, so the question's words count for it.
  quote.match =
      quote.assistant && answered
          ? question.Compare(
                std::string(TruncateUtf8(source->user_message, kQuoteBytesMax)) + "\n" + quote.text,
                quote.speaker)
          : question.Compare(quote.text, quote.speaker);
  quote.merit = quote.match.share + (quote.superseded ? 0 : kStillHolds) +
                (quote.assistant ? 0 : kUsersWords) + (quote.match.right_kind ? kRightKind : 0) +
                (item.tier == Tier::kSemantic ? kOneFact : 0);
  return quote;
}

bool ShareASource(const Quote& a, const Quote& b) {
  return std::any_of(a.sources.begin(), a.sources.end(), [&](const SourceRef& source) {
    return std::any_of(b.sources.begin(), b.sources.end(), [&](const SourceRef& other) {
      return other.interaction_id == source.interaction_id;
    });
  });
}

// The last of the answers, or the first.
void FavourByTime(std::vector<Quote>& quotes, bool last) {
  std::vector<Quote*> answers;
  for (Quote& quote : quotes) {
    if (quote.match.Answers() && !quote.rule) {
      answers.push_back(&quote);
    }
  }
  // Told at the same time, they stay in the order of the quotes.
  std::sort(answers.begin(), answers.end(), [last](const Quote* a, const Quote* b) {
    if (a->said_at != b->said_at) {
      return last == (a->said_at < b->said_at);
    }
    return a < b;
  });
  for (std::size_t i = 1; i < answers.size(); ++i) {
    answers[i]->merit += kTimely * static_cast<double>(i) / static_cast<double>(answers.size() - 1);
  }
}

// Everything quotable, best first.
std::vector<Quote> ReadQuotes(const OfflineRequest& request, const AskedQuestion& question) {
  std::vector<Quote> quotes;
  double rank = 0;
  for (const MemoryItem& item : request.recalled.items) {
    if (std::optional<Quote> quote = ReadQuote(item, request, question)) {
      quote->merit -= kRank * rank++;
      quotes.push_back(std::move(*quote));
    }
  }
  for (const MemoryItem& rule : request.recalled.rules) {
    if (std::optional<Quote> quote = ReadQuote(rule, request, question)) {
      quote->rule = true;
      quote->merit -= kOneFact;
      quotes.push_back(std::move(*quote));
    }
  }
  if (question.AsksForPresent() || question.AsksForFirst()) {
    FavourByTime(quotes, !question.AsksForFirst());
  }
  for (std::size_t i = 0; i < quotes.size(); ++i) {
    quotes[i].place = i;
  }
  std::sort(quotes.begin(), quotes.end(), [](const Quote& a, const Quote& b) {
    return a.merit != b.merit ? a.merit > b.merit : a.place < b.place;
  });
  return quotes;
}

std::string Introduction(const Quote& quote, Timestamp asked_at) {
  std::string who = "You told me";
  if (quote.assistant) {
    who = "I said";
  } else if (!quote.speaker.empty()) {
    who = OnOneLine(quote.speaker) + " said";
  } else if (quote.rule) {
    who = "You asked me";
  }
  return who + " on " + SpokenDate(quote.said_at, asked_at) +
         (quote.superseded ? ", though it is no longer so: " : ": ");
}

std::string Sentence(const Quote& quote, Timestamp asked_at) {
  std::string sentence = Introduction(quote, asked_at) + quote.text;
  if (std::string_view(".!?").find(sentence.back()) == std::string_view::npos) {
    sentence += '.';
  }
  return sentence;
}

// Those of `quotes` that say something new, at most `most`, starting with the best.
std::vector<const Quote*> Distinct(const std::vector<const Quote*>& quotes, std::size_t most) {
  std::vector<const Quote*> chosen;
  for (const Quote* quote : quotes) {
    const bool known = std::any_of(chosen.begin(), chosen.end(), [&](const Quote* other) {
      return ShareASource(*quote, *other) || SaysTheSame(quote->text, other->text);
    });
    if (!known && chosen.size() < most) {
      chosen.push_back(quote);
    }
  }
  return chosen;
}

std::string JoinSentences(const std::vector<const Quote*>& quotes, Timestamp asked_at) {
  std::string text;
  for (const Quote* quote : quotes) {
    text += text.empty() ? "" : "\n";
    text += Sentence(*quote, asked_at);
  }
  return text;
}

// Standing rules that bear on the message and are not quoted already.
std::string ApplyingRules(const std::vector<Quote>& quotes, const std::vector<const Quote*>& told,
                          Timestamp asked_at) {
  std::string text;
  std::size_t count = 0;
  for (const Quote& quote : quotes) {
    const bool is_told = std::any_of(told.begin(), told.end(), [&](const Quote* other) {
      return other == &quote || ShareASource(*other, quote) || SaysTheSame(other->text, quote.text);
    });
    if (quote.rule && !is_told && quote.match.same > 0 && count < kRulesMax) {
      text += "\n" + Sentence(quote, asked_at);
      ++count;
    }
  }
  return text;
}

std::string Overview(const std::vector<Quote>& quotes, Timestamp asked_at) {
  std::vector<const Quote*> candidates;
  for (const Quote& quote : quotes) {
    if (!quote.assistant && !quote.superseded) {
      candidates.push_back(&quote);
    }
  }
  const std::vector<const Quote*> chosen = Distinct(candidates, kOverviewQuotes);
  if (chosen.empty()) {
    return "Ask me about something that you have told me, by its name, and I will look it up.";
  }
  return JoinSentences(chosen, asked_at);
}

std::string AnswerQuestion(const OfflineRequest& request, const AskedQuestion& question) {
  const std::vector<Quote> quotes = ReadQuotes(request, question);
  if (question.AsksForAnything()) {
    return Overview(quotes, request.asked_at);
  }
  std::vector<const Quote*> answers;
  std::vector<const Quote*> near;
  for (const Quote& quote : quotes) {
    if (quote.match.Answers()) {
      answers.push_back(&quote);
    } else if (quote.match.words > 0 && quote.match.about_same && !quote.rule) {
      near.push_back(&quote);
    }
  }
  if (!answers.empty()) {
    // Only what answers as well as the best goes beside it.
    const double best = answers.front()->match.share;
    const auto worse = [best](const Quote* quote) {
      return quote->match.share < best || quote->superseded || quote->assistant;
    };
    answers.erase(std::remove_if(answers.begin() + 1, answers.end(), worse), answers.end());
    const std::vector<const Quote*> told =
        Distinct(answers, question.WantsSeveral() ? kQuotesMax : 1);
    return JoinSentences(told, request.asked_at) + ApplyingRules(quotes, told, request.asked_at);
  }
  std::string reply = "I do not remember anything that answers this.";
  const auto nearest = std::max_element(
      near.begin(), near.end(),
      [](const Quote* a, const Quote* b) { return a->match.share < b->match.share; });
  std::vector<const Quote*> told;
  if (nearest != near.end()) {
    told.push_back(*nearest);
    reply += " The nearest is this: " + Sentence(**nearest, request.asked_at);
  }
  return reply + ApplyingRules(quotes, told, request.asked_at);
}

std::string Acknowledge(const OfflineRequest& request, const AskedQuestion& statement) {
  const std::vector<Quote> quotes = ReadQuotes(request, statement);
  std::vector<const Quote*> related;
  for (const Quote& quote : quotes) {
    if (quote.rule || quote.assistant) {
      continue;
    }
    if (quote.match.same_words && quote.speaker.empty()) {
      return "Noted. You told me that before, on " + SpokenDate(quote.said_at, request.asked_at) +
             ".";
    }
    // One word in common is chance, unless it names somebody or is all that was said.
    if (quote.match.words >= 2 || quote.match.names_same || quote.match.Answers()) {
      related.push_back(&quote);
    }
  }
  const std::vector<const Quote*> told = Distinct(related, 2);
  std::string reply = "Noted.";
  if (!told.empty()) {
    reply += " On this I already know:\n" + JoinSentences(told, request.asked_at);
  }
  return reply + ApplyingRules(quotes, told, request.asked_at);
}

bool WasToldHowTo(const Conversation& conversation) {
  return std::any_of(conversation.turns.begin(), conversation.turns.end(),
                     [](const Interaction& turn) {
                       return turn.origin == Origin::kOfflineChat &&
                              turn.assistant_response.find(kHowTo) != std::string::npos;
                     });
}

std::string Say(const OfflineRequest& request) {
  switch (ClassifyMessage(request.message)) {
    case MessageKind::kGreeting:
      return "Hello! Tell me something worth remembering, or ask me about what you have told me.";
    case MessageKind::kThanks:
      return "You are welcome.";
    case MessageKind::kFarewell:
      return "Goodbye! I will remember.";
    case MessageKind::kQuestion:
      return AnswerQuestion(request, AskedQuestion(request.message));
    case MessageKind::kStatement:
      break;
  }
  return Acknowledge(request, AskedQuestion(request.message));
}

}  // namespace

bool AsksForOverview(std::string_view message) {
  return ClassifyMessage(message) == MessageKind::kQuestion &&
         AskedQuestion(message).AsksForAnything();
}

std::string ComposeOfflineReply(const OfflineRequest& request) {
  std::string reply = Say(request);
  reply += "\n\n";
  reply += WasToldHowTo(request.recalled.conversation) ? kStillNoModel : kNoModel;
  return reply;
}

}  // namespace umbranet
