// Goal: every embedder keeps the promises written in ports/embedder.h.
// Method: one suite, run against the in-memory twin, the local embedder where a model is at hand
// (scripts/setup fetches one; without it those tests are skipped by name), and the client of an
// embeddings endpoint over a server in this process.
//
// Each of these faults, put into the local embedder by hand, was seen to be caught: vectors not
// brought to length 1; vectors left in the order of length; the mean taken over the padding too;
// padding attended to; the deadline not looked at; long texts not cut; a space that differs from
// one embedder to the next.
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "umbranet/adapters/local_embedder/local_embedder.h"
#include "umbranet/adapters/openai/openai_embedder.h"
#include "umbranet/ports/embedder.h"

#include "tests/doubles/in_memory_embedder.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/scripted_http_server.h"

namespace umbranet {
namespace {

float Cosine(const Embedding& a, const Embedding& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

// An embeddings endpoint over the twin. Its vectors are no unit vectors and come in the wrong
// order, as the protocol allows.
Script AnswerEmbeddings(const ReceivedRequest& request) {
  InMemoryEmbedder twin;
  const boost::json::value asked = boost::json::parse(request.body);
  boost::json::array data;
  std::int64_t index = 0;
  for (const auto& text : asked.at("input").as_array()) {
    boost::json::array values;
    const auto vector = twin.EmbedQuestion(std::string_view(text.as_string()), Deadline::Never());
    for (const float value : vector.value()) {
      values.emplace_back(3.0 * value);
    }
    data.insert(data.begin(),
                boost::json::object{{"index", index++}, {"embedding", std::move(values)}});
  }
  return {SendBytes{HttpResponseText(
      200, boost::json::serialize(boost::json::object{{"data", std::move(data)}}))}};
}

// An endpoint's client together with the endpoint.
class ServedEmbedder final : public Embedder {
 public:
  ServedEmbedder() {
    server_.AnswerWith(AnswerEmbeddings);
    OpenAiEmbedder::Options options;
    options.base_url = server_.BaseUrl();
    options.model = "twin";
    options.texts_max = 2;  // So that a call of the suite takes several requests.
    client_ = OpenAiEmbedder::Open(std::move(options), clock_).value();
  }

  [[nodiscard]] const std::string& space() const override { return client_->space(); }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline deadline) override {
    return client_->EmbedPassages(texts, deadline);
  }

  Result<Embedding> EmbedQuestion(std::string_view question, Deadline deadline) override {
    return client_->EmbedQuestion(question, deadline);
  }

 private:
  SystemClock clock_;
  ScriptedHttpServer server_;
  std::unique_ptr<OpenAiEmbedder> client_;
};

struct EmbedderEngine {
  std::string name;
  // Null: cannot be had here, and `why` says so.
  std::function<std::unique_ptr<Embedder>(std::string& why)> open;
};

std::vector<EmbedderEngine> Engines() {
  return {
      {"InMemory", [](std::string&) { return std::make_unique<InMemoryEmbedder>(); }},
      {"Local",
       [](std::string& why) -> std::unique_ptr<Embedder> {
         auto embedder = LocalEmbedder::Open({.folder = DefaultModelFolder()});
         if (!embedder.ok()) {
           why = embedder.error().message;
           return nullptr;
         }
         return std::move(embedder).value();
       }},
      {"OpenAi", [](std::string&) { return std::make_unique<ServedEmbedder>(); }},
  };
}

class EmbedderContract : public testing::TestWithParam<EmbedderEngine> {
 protected:
  void SetUp() override {
    std::string why;
    embedder_ = GetParam().open(why);
    if (embedder_ == nullptr) {
      GTEST_SKIP() << why;
    }
  }

  std::vector<Embedding> Passages(const std::vector<std::string_view>& texts) {
    auto vectors = embedder_->EmbedPassages(texts, Deadline::Never());
    EXPECT_TRUE(vectors.ok()) << vectors.error().message;
    return std::move(vectors).value_or({});
  }

  Embedding Question(std::string_view text) {
    auto vector = embedder_->EmbedQuestion(text, Deadline::Never());
    EXPECT_TRUE(vector.ok()) << vector.error().message;
    return std::move(vector).value_or({});
  }

  std::unique_ptr<Embedder> embedder_;
};

TEST_P(EmbedderContract, NamesOneSpaceForAsLongAsItLives) {
  const std::string space = embedder_->space();
  EXPECT_FALSE(space.empty());
  Passages({"The harbour was calm this morning."});
  EXPECT_EQ(embedder_->space(), space);
  std::string why;
  EXPECT_EQ(GetParam().open(why)->space(), space);
}

TEST_P(EmbedderContract, IsReadyOnceItHasBeenAsked) {
  while (!embedder_->ReadyAtOnce()) {  // Asking makes it so.
    std::this_thread::yield();
  }
  EXPECT_FALSE(Question("How was the harbour?").empty());
  EXPECT_TRUE(embedder_->ReadyAtOnce());
}

TEST_P(EmbedderContract, GivesVectorsOfOneSizeAndOfLengthOne) {
  std::vector<Embedding> vectors =
      Passages({"The harbour was calm this morning.", "Yes.", "", "\xff\xfe", "\u6771\u4eac"});
  ASSERT_EQ(vectors.size(), 5U);
  vectors.push_back(Question("How was the harbour?"));
  for (const Embedding& vector : vectors) {
    EXPECT_EQ(vector.size(), vectors.front().size());
    EXPECT_NEAR(Cosine(vector, vector), 1.0F, 1e-4F);
  }
}

TEST_P(EmbedderContract, AnswersInTheOrderOfTheTexts) {
  const std::vector<std::string_view> texts{
      "We walked along the river for the whole afternoon and talked about the old bridge.",
      "Bread.", "My sister plays the cello in an orchestra.",
      "The train to the mountains was late again.", "Soup with leek and potato."};
  const std::vector<Embedding> together = Passages(texts);
  ASSERT_EQ(together.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Embedding> alone = Passages({texts[i]});
    ASSERT_EQ(alone.size(), 1U);
    for (std::size_t j = 0; j < texts.size(); ++j) {
      EXPECT_LE(Cosine(alone[0], together[j]), Cosine(alone[0], together[i]) + 1e-4F) << i << j;
    }
  }
}

// Company in a batch, and with it padding, may move a vector by rounding, no further.
TEST_P(EmbedderContract, GivesATextTheSameVectorInAnyCompany) {
  const std::string_view text = "Bread.";
  const std::string long_text(400, 'a');
  const std::string other = "The train to the mountains was late again, and nobody told us why. " +
                            std::string("We waited in the cold for an hour.");
  const Embedding alone = Passages({text}).at(0);
  EXPECT_GT(Cosine(alone, Passages({text, other, long_text}).at(0)), 0.98F);
  EXPECT_GT(Cosine(alone, Passages({text}).at(0)), 0.9999F);
}

TEST_P(EmbedderContract, PutsAQuestionNearestToItsAnswer) {
  const std::vector<Embedding> passages =
      Passages({"My sister plays the cello in an orchestra.", "The train was late again.",
                "Soup with leek and potato is what I cook in winter."});
  const Embedding question = Question("Who plays the cello?");
  EXPECT_GT(Cosine(question, passages.at(0)), Cosine(question, passages.at(1)));
  EXPECT_GT(Cosine(question, passages.at(0)), Cosine(question, passages.at(2)));
}

TEST_P(EmbedderContract, RepresentsALongTextByItsBeginning) {
  std::string text;
  for (int i = 0; i < 400; ++i) {
    text += "The garden has roses and a pond with two herons. ";
  }
  const std::string longer = text + "The engine of the lorry needs oil.";
  const std::vector<Embedding> vectors = Passages({text, longer});
  ASSERT_EQ(vectors.size(), 2U);
  EXPECT_GT(Cosine(vectors[0], vectors[1]), 0.999F);
}

TEST_P(EmbedderContract, MakesOfNoTextsNoVectors) {
  EXPECT_TRUE(Passages({}).empty());
}

TEST_P(EmbedderContract, GivesUpWhenTheDeadlineHasPassed) {
  ManualClock clock;
  const Deadline passed = Deadline::After(clock, Millis{0});
  const std::vector<std::string_view> texts{"The harbour was calm this morning."};
  const auto passages = embedder_->EmbedPassages(texts, passed);
  ASSERT_FALSE(passages.ok());
  EXPECT_EQ(passages.error().code, ErrorCode::kDeadlineExceeded);
  const auto question = embedder_->EmbedQuestion("How was the harbour?", passed);
  ASSERT_FALSE(question.ok());
  EXPECT_EQ(question.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_P(EmbedderContract, ServesManyThreadsAtOnce) {
  const std::vector<std::string_view> texts{"My sister plays the cello in an orchestra.",
                                            "Soup with leek and potato."};
  const std::vector<Embedding> expected = Passages(texts);
  const Embedding question = Question("Who plays the cello?");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const std::vector<Embedding> again = Passages(texts);
        ASSERT_EQ(again.size(), expected.size());
        EXPECT_GT(Cosine(again[0], expected[0]), 0.9999F);
        EXPECT_GT(Cosine(again[1], expected[1]), 0.9999F);
        EXPECT_GT(Cosine(Question("Who plays the cello?"), question), 0.9999F);
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, EmbedderContract, testing::ValuesIn(Engines()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace umbranet
