// Goal: a chat turn waits for no vector that it may do without; a recall that is asked for itself
// gets one.
// Method: a recall over mocks with an embedder that is not ready until told.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/memory_manager.h"

#include "tests/doubles/counting_embedder.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::Not;

class RecallEmbeddingTest : public ::testing::Test {
 protected:
  RecallEmbeddingTest() {
    options_.embedder = &embedder_;
    embedder_.ready = false;
  }

  // Whether its answer names the embedder as degraded.
  std::vector<std::string> Degraded(bool of_a_chat) {
    MemoryManager memory(clock_, pool_,
                         {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term,
                          stores_.episodic, stores_.semantic, stores_.procedural},
                         options_);
    RecallRequest request;
    request.user = {"default", "mira"};
    request.query = "Where do I live?";
    request.embedding_may_be_spared = of_a_chat;
    auto recalled = memory.Recall(request, Deadline::Never());
    EXPECT_TRUE(recalled.ok());
    return recalled.ok() ? recalled->degraded : std::vector<std::string>();
  }

  ManualClock clock_;
  BoundedWorkerPool pool_{{.name = "test", .threads_max = 2}};
  MockStores stores_;
  CountingEmbedder embedder_;
  MemoryManager::Options options_;
};

TEST_F(RecallEmbeddingTest, AChatDoesNotWaitForAModelThatIsBeingRead) {
  EXPECT_THAT(Degraded(/*of_a_chat=*/true), Contains("embedder"));
  EXPECT_EQ(embedder_.questions, 0);
  embedder_.ready = true;
  EXPECT_THAT(Degraded(/*of_a_chat=*/true), Not(Contains("embedder")));
  EXPECT_EQ(embedder_.questions, 1);
}

TEST_F(RecallEmbeddingTest, ARecallThatIsAskedForItselfWaits) {
  EXPECT_THAT(Degraded(/*of_a_chat=*/false), Not(Contains("embedder")));
  EXPECT_EQ(embedder_.questions, 1);
}

TEST_F(RecallEmbeddingTest, AChatBeyondTheAllowanceGoesWithout) {
  embedder_.ready = true;
  options_.chat_embeddings_per_s = 0;
  EXPECT_THAT(Degraded(/*of_a_chat=*/true), Contains("embedder"));
  EXPECT_THAT(Degraded(/*of_a_chat=*/false), Not(Contains("embedder")));
}

}  // namespace
}  // namespace umbranet
