// Goal: a server without an embedding model is a whole server that says once what it lacks.
// Method: the built binary, pointed at a folder that holds no model.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/system/server_process.h"

namespace umbranet {
namespace {

std::size_t CountOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(AServerWithoutAModel, StartsServesAndSaysOnceWhatItLacks) {
  const std::string folder = testing::TempDir() + "/server_without_a_model";
  std::filesystem::remove_all(folder);
  ServerProcess server(folder, {{"EMBEDDING_MODEL_FOLDER", folder + "/none"}});
  ASSERT_TRUE(server.Running());
  const auto health = server.Call("GET", "/healthz");
  ASSERT_TRUE(health.has_value());
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(server.Terminate(), 0);
  const std::string log = server.Log();
  EXPECT_EQ(CountOf(log, "event=embedder_missing"), 1U) << log;
  EXPECT_NE(log.find("embedder.json is missing"), std::string::npos) << log;
}

}  // namespace
}  // namespace umbranet
