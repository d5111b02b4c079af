// Goal: what a user wants remembered goes first, small talk last, and nothing is decided by a
// fragment of a word.
// Method: invented messages.
#include "umbranet/memory/reflection_priority.h"

#include <string>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

TEST(ReflectionPriority, IsHighWhereTheUserAsksForItToBeRemembered) {
  for (const char* message :
       {"Remember this: the spare key is under the blue pot.",
        "Please remember that I am allergic to nuts", "Don't forget my dentist on Monday!",
        "Don’t forget: the gate code is 5521", "From now on call me Mo.",
        "I am vegan, remember that.", "Hi! Keep in mind I work nights.",
        "I want you to remember my size: 42", "Can you remember that I hate coriander?",
        "Okay, make a note: rent is due on the 3rd"}) {
    EXPECT_EQ(DecidePriority(message), Priority::kHigh) << message;
  }
}

TEST(ReflectionPriority, IsLowForGreetingsAndStatusLines) {
  for (const char* message : {"hi", "Hello there!", "Good morning :)", "thanks a lot", "ok", "brb",
                              "test", "done.", "How are you?", "", "👍", "...", "bye, see you"}) {
    EXPECT_EQ(DecidePriority(message), Priority::kLow) << message;
  }
}

TEST(ReflectionPriority, IsNormalForWhatSaysSomething) {
  for (const char* message : {"My brother moved to Oslo.", "What is the capital of Peru?",
                              "hi, my name is Mo", "I finished the test of the new boat",
                              "no"
                              " sugar for me, I am diabetic"}) {
    EXPECT_EQ(DecidePriority(message), Priority::kNormal) << message;
  }
}

TEST(ReflectionPriority, DoesNotTakeTalkAboutRememberingForARequest) {
  for (const char* message : {"Do you remember my sister?", "I remember that day well, it rained",
                              "I can't remember where I parked", "You remember that song?",
                              "Remember when we met?", "The remembrance thistle is a plant",
                              "A forgettable film about notes", "He said to never say never"}) {
    EXPECT_EQ(DecidePriority(message), Priority::kNormal) << message;
  }
}

TEST(ReflectionPriority, ReadsWordsWhole) {
  EXPECT_EQ(DecidePriority("hithere okra testament"), Priority::kNormal);
  EXPECT_EQ(DecidePriority("rememberthis"), Priority::kNormal);
}

}  // namespace
}  // namespace umbranet
