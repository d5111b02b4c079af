// Goal: without a model, a reply quotes what was told that answers, with who said it and when, and
// never presents anything else as an answer.
// Method: a small table of memories and what is asked of it; the wording is part of the contract.
#include "umbranet/governor/offline_reply.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Timestamp At(const char* day) {
  return *ParseTimestamp(std::string(day) + "T10:00:00Z");
}

class OfflineReplyTest : public ::testing::Test {
 protected:
  MemoryItem& Remember(const char* text, const char* day = "2024-05-03",
                       Tier tier = Tier::kEpisodic) {
    MemoryItem item;
    item.memory_id = "m" + std::to_string(count_);
    item.tier = tier;
    item.text = text;
    item.occurred_at = At(day);
    item.sources = {{"t" + std::to_string(count_++), Role::kUser}};
    recalled_.items.push_back(item);
    return recalled_.items.back();
  }

  MemoryItem& RememberRule(const char* text, const char* day = "2024-05-03") {
    MemoryItem rule = Remember(text, day, Tier::kProcedural);
    recalled_.items.pop_back();
    recalled_.rules.push_back(rule);
    return recalled_.rules.back();
  }

  // The reply without the note on the missing model.
  std::string Reply(std::string_view message, const char* day = "2024-06-01") {
    const std::string reply = ReplyWithNote(message, day);
    return reply.substr(0, reply.rfind("\n\n("));
  }

  std::string ReplyWithNote(std::string_view message, const char* day = "2024-06-01") {
    return ComposeOfflineReply(
        {.message = message, .asked_at = At(day), .recalled = recalled_, .sources = sources_});
  }

  RecalledContext recalled_;
  std::vector<Interaction> sources_;
  int count_ = 0;
};

TEST_F(OfflineReplyTest, DoesNotQuoteWhatNobodySaidInTheseWords) {
  Remember("My sister Ana lives in Porto.").memory_id = "ep_con_1";
  EXPECT_THAT(Reply("Where does my sister live?"), Not(HasSubstr("Porto")));
}

TEST_F(OfflineReplyTest, QuotesWhatTheUserTold) {
  Remember("my sister Ana lives in Porto", "2024-05-03", Tier::kSemantic);
  EXPECT_EQ(Reply("Where does my sister live?"),
            "You told me on 3 May: my sister Ana lives in Porto.");
}

TEST_F(OfflineReplyTest, AddsTheYearWhenItIsNotThisOne) {
  Remember("My sister Ana lives in Porto.", "2023-05-03");
  EXPECT_EQ(Reply("Where does my sister live?"),
            "You told me on 3 May 2023: My sister Ana lives in Porto.");
}

TEST_F(OfflineReplyTest, NamesWhoElseSaidIt) {
  Remember("I work as a nurse at the harbour clinic.", "2023-05-03").speaker = "Tom";
  EXPECT_EQ(Reply("What does Tom work as?"),
            "Tom said on 3 May 2023: I work as a nurse at the harbour clinic.");
}

TEST_F(OfflineReplyTest, TellsWhoseWordsAFactWasMadeFrom) {
  const MemoryItem& fact = Remember("Tom plays the cello", "2024-02-01", Tier::kSemantic);
  Interaction source;
  source.interaction_id = fact.sources[0].interaction_id;
  source.speaker = "Tom";
  sources_ = {source};
  EXPECT_EQ(Reply("Which instrument does Tom play?"),
            "Tom said on 1 February: Tom plays the cello.");
}

TEST_F(OfflineReplyTest, FindsTheAnswerInOtherWords) {
  const struct {
    const char* told;
    const char* asked;
  } cases[] = {
      {"I moved to Lyon in March.", "Where do I live?"},
      {"My mum is called Rosa.", "What is my mother's name?"},
      {"I work as a gardener.", "What is my job?"},
      {"My favourite colour is green.", "What is my favorite color?"},
      {"I was born on 7 August.", "When is my birthday?"},
      {"We adopted a dog called Bello.", "What is the name of my dog?"},
      {"I'm allergic to peanuts.", "What allergies do I have?"},
      {"The dentist appointment is on Tuesday at 9.", "When is my dentist appointment?"},
      {"I bought an e-bike last week.", "Did I buy an e-bike?"},
      {"My flight to Oslo leaves at 7:40.", "when does my flight to Oslo leave"},
      {"I walk by the river with my dog Bello.", "What's my dog called?"},
      {"My brother Jan studies physics in Delft.", "Remind me what my brother studies"},
  };

  for (const auto& c : cases) {
    recalled_.items.clear();
    Remember(c.told);
    EXPECT_EQ(Reply(c.asked), std::string("You told me on 3 May: ") + c.told) << c.asked;
  }
}

TEST_F(OfflineReplyTest, DoesNotPassOffTheNearestAsTheAnswer) {
  const struct {
    const char* told;
    const char* asked;
  } cases[] = {
      {"My sister Ana lives in Porto.", "Where do I live?"},
      {"I live in Lyon.", "Where does my sister live?"},
      {"Tom lives in Kyiv.", "Where does Ana live?"},
      {"My favorite food is ramen.", "What is my favorite color?"},
      {"I baked bread on Sunday.", "What did my boss say about the budget?"},
  };

  for (const auto& c : cases) {
    recalled_.items.clear();
    Remember(c.told);
    EXPECT_THAT(Reply(c.asked), StartsWith("I do not remember anything that answers this."))
        << c.asked;
  }
}

TEST_F(OfflineReplyTest, OffersTheNearestAsWhatItIs) {
  Remember("My sister Ana is a doctor.");
  EXPECT_EQ(Reply("Where does my sister live?"),
            "I do not remember anything that answers this. The nearest is this: "
            "You told me on 3 May: My sister Ana is a doctor.");
}

TEST_F(OfflineReplyTest, SaysPlainlyThatItRemembersNothing) {
  EXPECT_EQ(Reply("Where does my sister live?"), "I do not remember anything that answers this.");
}

TEST_F(OfflineReplyTest, PrefersWhatStillHolds) {
  MemoryItem& old = Remember("I live in Ghent", "2024-01-10", Tier::kSemantic);
  old.superseded_by = "m1";
  Remember("I live in Lyon", "2024-04-02", Tier::kSemantic);
  EXPECT_EQ(Reply("Where do I live?"), "You told me on 2 April: I live in Lyon.");
}

TEST_F(OfflineReplyTest, PrefersWhatWasToldLastAboutThePresentOnly) {
  Remember("I live in Lyon with my dog.", "2024-03-01");
  Remember("I moved to Ghent last week.", "2024-05-20");
  EXPECT_EQ(Reply("Where do I live now?"), "You told me on 20 May: I moved to Ghent last week.");
  Remember("I met Ana in Rome.", "2024-01-01");
  Remember("I met Ana again, in Oslo.", "2024-02-01");
  EXPECT_EQ(Reply("Where did I meet Ana?"), "You told me on 1 January: I met Ana in Rome.");
  recalled_.items.clear();
  Remember("The kitchen budget is now 5,500 euros.", "2024-05-20");
  Remember("I set the budget for the kitchen to 4,000 euros.", "2024-04-20");
  EXPECT_THAT(Reply("What is the kitchen budget?"), HasSubstr("5,500"));
  EXPECT_THAT(Reply("What was the first kitchen budget?"), HasSubstr("4,000"));
}

TEST_F(OfflineReplyTest, SaysWhenSomethingIsNoLongerSo) {
  Remember("I live in Ghent", "2024-01-10", Tier::kSemantic).valid_to = At("2024-03-01");
  EXPECT_EQ(Reply("Where do I live?"),
            "You told me on 10 January, though it is no longer so: I live in Ghent.");
}

TEST_F(OfflineReplyTest, PrefersTheUsersWordsToTheAssistants) {
  Remember("Your sister Ana lives in Porto, a lovely city.").sources[0].role = Role::kAssistant;
  Remember("My sister Ana lives in Porto.", "2024-05-04");
  EXPECT_EQ(Reply("Where does my sister live?"),
            "You told me on 4 May: My sister Ana lives in Porto.");
}

TEST_F(OfflineReplyTest, QuotesTheAssistantAsItself) {
  Remember("The Sagrada Familia opens at nine.").sources[0].role = Role::kAssistant;
  EXPECT_EQ(Reply("When does the Sagrada Familia open?"),
            "I said on 3 May: The Sagrada Familia opens at nine.");
}

TEST_F(OfflineReplyTest, QuotesWhatTheAssistantAnsweredToTheSameQuestion) {
  const MemoryItem& item = Remember("Can you recommend a cheap laptop?");
  Interaction source;
  source.interaction_id = item.sources[0].interaction_id;
  source.user_message = item.text;
  source.assistant_response = "Sure. I would take the Acme 14 with 16 GB of memory.";
  sources_ = {source};
  EXPECT_EQ(Reply("Which laptop did you recommend?"),
            "I said on 3 May: Sure. I would take the Acme 14 with 16 GB of memory.");
  sources_[0].origin = Origin::kOfflineChat;
  EXPECT_EQ(Reply("Which laptop did you recommend?"),
            "I do not remember anything that answers this.");
}

TEST_F(OfflineReplyTest, QuotesNoQuestionAsAnAnswer) {
  for (const char* earlier :
       {"Where does my sister live?", "where does my sister live", "Tell me where my sister lives.",
        "Do you know if my sister lives?"}) {
    recalled_.items.clear();
    Remember(earlier);
    EXPECT_EQ(Reply("Where does my sister live?"), "I do not remember anything that answers this.")
        << earlier;
  }
}

TEST_F(OfflineReplyTest, QuotesTheStatementBesideAQuestion) {
  Remember("What a week! My sister Ana moved to Porto. Do you know the place?");
  EXPECT_EQ(Reply("Where does my sister live?"),
            "You told me on 3 May: What a week! My sister Ana moved to Porto.");
}

TEST_F(OfflineReplyTest, QuotesNoReplyOfItsOwn) {
  MemoryItem& echo = Remember("You told me on 3 May: my sister Ana lives in Porto.");
  echo.sources[0].role = Role::kAssistant;
  Interaction source;
  source.interaction_id = echo.sources[0].interaction_id;
  source.origin = Origin::kOfflineChat;
  sources_ = {source};
  EXPECT_EQ(Reply("Where does my sister live?"), "I do not remember anything that answers this.");
}

TEST_F(OfflineReplyTest, QuotesOfALongTextTheSentencesInQuestion) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "The weather on day " + std::to_string(i) + " was fine. ";
  }
  text += "My sister Ana lives in Porto. ";
  text += text;
  Remember(text.c_str());
  const std::string reply = Reply("Where does my sister live?");
  EXPECT_THAT(reply, AllOf(HasSubstr("My sister Ana lives in Porto."), Not(HasSubstr("weather"))));
  EXPECT_LT(reply.size(), 400U);
}

TEST_F(OfflineReplyTest, ListsSeveralWhenSeveralAreAskedFor) {
  Remember("My hobby is rowing.", "2024-03-01");
  Remember("Painting is a hobby of mine.", "2024-04-01");
  Remember("My hobby is rowing, mostly.", "2024-05-01");
  const std::string reply = Reply("What are my hobbies?");
  EXPECT_EQ(reply,
            "You told me on 1 May: My hobby is rowing, mostly.\n"
            "You told me on 1 April: Painting is a hobby of mine.");
}

TEST_F(OfflineReplyTest, GivesAnOverviewWhenAskedWhatItKnows) {
  Remember("My sister Ana lives in Porto.");
  Remember("I row on the river.", "2024-05-04");
  EXPECT_EQ(Reply("What do you know about me?"),
            "You told me on 3 May: My sister Ana lives in Porto.\n"
            "You told me on 4 May: I row on the river.");
  recalled_.items.clear();
  EXPECT_THAT(Reply("What do you remember?"), StartsWith("Ask me about something"));
  EXPECT_TRUE(AsksForOverview("What do you know about me?"));
  EXPECT_FALSE(AsksForOverview("What do you know about Ana?"));
  EXPECT_FALSE(AsksForOverview("I know."));
}

TEST_F(OfflineReplyTest, PrefersTheKindOfAnswerThatIsAskedFor) {
  Remember("Ana visits us soon.");
  Remember("Ana visits us on 4 July.", "2024-05-05");
  EXPECT_EQ(Reply("When does Ana visit?"), "You told me on 5 May: Ana visits us on 4 July.");
}

TEST_F(OfflineReplyTest, MentionsRulesWhereTheyApply) {
  RememberRule("always give distances in kilometres");
  Remember("The distance from Porto to Lisbon is 313.");
  EXPECT_EQ(Reply("What is the distance from Porto to Lisbon?"),
            "You told me on 3 May: The distance from Porto to Lisbon is 313.\n"
            "You asked me on 3 May: always give distances in kilometres.");
  EXPECT_THAT(Reply("Where does Ana work?"), Not(HasSubstr("kilometres")));
  RememberRule("never call me Mimi");
  EXPECT_THAT(Reply("What are the names of the cats?"), Not(HasSubstr("Mimi")));
}

TEST_F(OfflineReplyTest, QuotesARuleOnce) {
  RememberRule("Always give distances in kilometres");
  Remember("Always give distances in kilometres.");
  const std::string reply = Reply("Which distances should you give?");
  EXPECT_EQ(reply.find("kilometres"), reply.rfind("kilometres")) << reply;
}

TEST_F(OfflineReplyTest, AnswersAQuestionAboutARuleWithIt) {
  RememberRule("I prefer window seats on trains");
  EXPECT_EQ(Reply("Which seats do I prefer?"),
            "You asked me on 3 May: I prefer window seats on trains.");
}

TEST_F(OfflineReplyTest, AcknowledgesAStatement) {
  EXPECT_EQ(Reply("My sister Ana lives in Porto."), "Noted.");
  Remember("My sister Ana is a doctor.");
  Remember("I had soup today.");
  EXPECT_EQ(Reply("My sister Ana lives in Porto."),
            "Noted. On this I already know:\nYou told me on 3 May: My sister Ana is a doctor.");
}

TEST_F(OfflineReplyTest, NoticesThatItWasToldBefore) {
  Remember("My sister Ana lives in Porto.");
  EXPECT_EQ(Reply("my sister Ana lives in Porto"), "Noted. You told me that before, on 3 May.");
}

TEST_F(OfflineReplyTest, GreetsShortly) {
  Remember("Hello there, my sister is here.");
  for (const char* greeting : {"Hi", "hello!", "Good morning", "Hey there"}) {
    EXPECT_THAT(Reply(greeting), StartsWith("Hello!")) << greeting;
    EXPECT_THAT(Reply(greeting), Not(HasSubstr("sister")));
  }
  EXPECT_EQ(Reply("Thanks a lot!"), "You are welcome.");
  EXPECT_THAT(Reply("Bye"), StartsWith("Goodbye"));
  EXPECT_THAT(Reply("Hi, my name is Mira."), StartsWith("Noted."));
}

TEST_F(OfflineReplyTest, SaysOnceHowToConfigureAModel) {
  EXPECT_THAT(ReplyWithNote("Hi"), HasSubstr("set OPENAI_API_KEY or OPENAI_BASE_URL"));
  Interaction before;
  before.origin = Origin::kOfflineChat;
  before.assistant_response = ReplyWithNote("Hi");
  recalled_.conversation.turns = {before};
  EXPECT_THAT(ReplyWithNote("Hi"), AllOf(HasSubstr("No language model is configured"),
                                         Not(HasSubstr("OPENAI_API_KEY"))));
}

TEST_F(OfflineReplyTest, IsNotConfusedByOddTexts) {
  for (const char* odd :
       {"", " ", "\n\n", "???", "...", "\xF0\x9F\x98\x80", "<memories>", "'; --"}) {
    Remember(odd);
  }
  Remember("a\r\nb\tc\n\n d sister").speaker = "Eve\nSystem";
  for (const char* message : {"?", "...", "\xF0\x9F\x98\x80", "sister?", "who", "a b c d"}) {
    EXPECT_FALSE(Reply(message).empty());
  }
  EXPECT_THAT(Reply("sister?"), HasSubstr("Eve System said on 3 May: a b c d sister."));
}

}  // namespace
}  // namespace umbranet
