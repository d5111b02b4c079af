// Goal: a question is worked out once while it is remembered, and never answered with another's.
// Method: an embedder that counts what it is asked.
#include "umbranet/memory/caching_embedder.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/doubles/counting_embedder.h"

namespace umbranet {
namespace {

class CachingEmbedderTest : public testing::Test {
 protected:
  Embedding Ask(std::string_view question) {
    return cache_.EmbedQuestion(question, Deadline::Never()).value();
  }

  CountingEmbedder inner_;
  CachingEmbedder cache_{inner_, {.entries_max = 2, .question_bytes_max = 40}};
};

TEST_F(CachingEmbedderTest, AsksARepeatedQuestionOnce) {
  const Embedding first = Ask("Where do I live?");
  EXPECT_EQ(Ask("Where do I live?"), first);
  EXPECT_EQ(inner_.questions, 1);
  EXPECT_NE(Ask("What do I cook?"), first);
  EXPECT_EQ(inner_.questions, 2);
}

TEST_F(CachingEmbedderTest, ForgetsTheQuestionThatWasAskedLongestAgo) {
  Ask("one apple");
  Ask("two pears");
  Ask("one apple");
  Ask("three plums");
  EXPECT_EQ(inner_.questions, 3);
  Ask("one apple");
  EXPECT_EQ(inner_.questions, 3);
  Ask("two pears");
  EXPECT_EQ(inner_.questions, 4);
}

TEST_F(CachingEmbedderTest, RemembersNoQuestionBeyondItsBound) {
  const std::string question(41, 'q');
  Ask(question);
  Ask(question);
  EXPECT_EQ(inner_.questions, 2);
}

TEST_F(CachingEmbedderTest, RemembersNoFailure) {
  inner_.away = true;
  EXPECT_FALSE(cache_.EmbedQuestion("Where do I live?", Deadline::Never()).ok());
  inner_.away = false;
  EXPECT_TRUE(cache_.EmbedQuestion("Where do I live?", Deadline::Never()).ok());
}

TEST_F(CachingEmbedderTest, RemembersNoQuestionOnceItIsCleared) {
  ASSERT_TRUE(cache_.EmbedQuestion("Where do I live?", Deadline::Never()).ok());
  EXPECT_EQ(cache_.Clear(), 1U);
  EXPECT_EQ(cache_.Clear(), 0U);
  inner_.away = true;
  EXPECT_FALSE(cache_.EmbedQuestion("Where do I live?", Deadline::Never()).ok());
}

TEST_F(CachingEmbedderTest, NamesTheSpaceOfWhatItWraps) {
  EXPECT_EQ(cache_.space(), inner_.space());
  const std::vector<std::string_view> texts{"one apple"};
  EXPECT_EQ(cache_.EmbedPassages(texts, Deadline::Never()).value().at(0), Ask("one apple"));
}

TEST_F(CachingEmbedderTest, ServesManyThreadsAtOnce) {
  const std::vector<std::string> questions{"one apple", "two pears", "three plums", "four figs"};
  std::vector<Embedding> expected;
  for (const std::string& question : questions) {
    expected.push_back(Ask(question));
  }
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < 200; ++i) {
        EXPECT_EQ(cache_.EmbedQuestion(questions[i % 4], Deadline::Never()).value(),
                  expected[i % 4]);
      }
    });
  }
}

}  // namespace
}  // namespace umbranet
