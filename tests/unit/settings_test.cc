// Goal: what can be set is read from the right place, and what is wrong is refused with a sentence
// that helps. Method: layers of made-up files, environments and flags; the refusals are compared by
// the words that matter.
#include "umbranet/config/settings.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

using Environment = std::map<std::string, std::string>;
using Flags = std::vector<std::pair<std::string, std::string>>;

std::string RefusalOf(const Environment& environment, const Flags& flags = {}) {
  const auto loaded = LoadSettings("", environment, flags);
  return loaded.ok() ? "accepted" : loaded.error().message;
}

std::string SourceOf(const LoadedSettings& loaded, std::string_view name) {
  for (const SettingSource& source : loaded.sources) {
    if (source.name == name) {
      return source.from;
    }
  }
  return "unknown";
}

class SettingsFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(::testing::TempDir()) /
            (std::string("settings_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }

  void TearDown() override { std::filesystem::remove(path_); }

  std::string Write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_.string();
  }

  std::filesystem::path path_;
};

TEST(SettingsTest, EverySettingHasADefaultThatItsOwnParserAccepts) {
  const Settings defaults;
  for (const SettingSpec& spec : AllSettings()) {
    Settings settings;
    EXPECT_TRUE(spec.parse(settings, spec.show(defaults)).ok()) << spec.name;
    EXPECT_EQ(spec.show(settings), spec.show(defaults)) << spec.name;
    EXPECT_FALSE(spec.description.empty()) << spec.name;
  }
}

TEST(SettingsTest, AKeyspaceGoesBeforeTheBrokersNamesUnlessTheseAreGiven) {
  const auto loaded = LoadSettings(
      "", {{"UMBRANET_KEYSPACE", "staging_2"}, {"RABBITMQ_QUEUE", "queue_of_others"}}, {});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->settings.keyspace, "staging_2");
  EXPECT_EQ(loaded->settings.rabbitmq_exchange, "staging_2_memory_reflection_exchange");
  EXPECT_EQ(loaded->settings.rabbitmq_queue, "queue_of_others");
  EXPECT_EQ(LoadSettings("", {}, {})->settings.rabbitmq_queue, "memory_reflection_queue");
}

TEST(SettingsTest, AKeyspaceThatNoServerWouldTakeAsANameIsRefused) {
  for (const char* const name : {"", "Staging", "9lives", "pg_temp", "a-b", "a\"; DROP", "über"}) {
    EXPECT_NE(RefusalOf({{"UMBRANET_KEYSPACE", name}}).find("write 1 to 40 lower-case letters"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(RefusalOf({{"UMBRANET_KEYSPACE", std::string(41, 'a')}}), "accepted");
}

TEST(SettingsTest, AReflectorListensNowhereUnlessAnAddressIsGiven) {
  EXPECT_EQ(LoadSettings("", {}, {})->settings.reflector_listen_host, "");
  EXPECT_EQ(LoadSettings("", {{"REFLECTOR_LISTEN", ""}}, {})->settings.reflector_listen_host, "");
  const auto loaded = LoadSettings("", {{"REFLECTOR_LISTEN", "[::1]:9"}}, {});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->settings.reflector_listen_host, "::1");
  EXPECT_EQ(loaded->settings.reflector_listen_port, 9);
  EXPECT_NE(RefusalOf({{"REFLECTOR_LISTEN", "8081"}}).find("write HOST:PORT"), std::string::npos);
  EXPECT_NE(RefusalOf({{"UMBRANET_LISTEN", ""}}).find("write HOST:PORT"), std::string::npos);
}

TEST_F(SettingsFile, FlagsWinOverTheEnvironmentAndThatOverTheFile) {
  const std::string file = Write(
      "# workers\nREFLECTOR_WORKERS = 7\nREFLECTOR_BATCH_SIZE=4\n\nUMBRANET_LISTEN=127.0.0.1:1\n");
  const auto loaded =
      LoadSettings(file, {{"REFLECTOR_BATCH_SIZE", "5"}, {"UMBRANET_LISTEN", "127.0.0.1:2"}},
                   {{"UMBRANET_LISTEN", "127.0.0.1:3"}});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->settings.reflector_workers, 7U);
  EXPECT_EQ(loaded->settings.reflector_batch_size, 5U);
  EXPECT_EQ(loaded->settings.listen_port, 3);
  EXPECT_EQ(SourceOf(*loaded, "REFLECTOR_WORKERS"), file + ":2");
  EXPECT_EQ(SourceOf(*loaded, "REFLECTOR_BATCH_SIZE"), "environment");
  EXPECT_EQ(SourceOf(*loaded, "UMBRANET_LISTEN"), "flag");
  EXPECT_EQ(SourceOf(*loaded, "UMBRANET_LOG_LEVEL"), "default");
}

TEST_F(SettingsFile, AFileWithAnUnknownNameOrNoEqualsSignIsRefusedByItsLine) {
  auto loaded = LoadSettings(Write("\nREFLECTOR_WROKERS=3\n"), {}, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find(":2: REFLECTOR_WROKERS is not a setting; did you mean "
                                        "REFLECTOR_WORKERS?"),
            std::string::npos)
      << loaded.error().message;
  loaded = LoadSettings(Write("just words\n"), {}, {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find(":1: write NAME=VALUE"), std::string::npos);
}

TEST(SettingsTest, AMisspeltVariableIsRefusedWithTheOneThatIsMeant) {
  EXPECT_NE(RefusalOf({{"UMBRANET_LISTN", "x"}}).find("did you mean UMBRANET_LISTEN?"),
            std::string::npos);
  EXPECT_NE(RefusalOf({{"MEMORY_FASTMODE", "1"}}).find("did you mean MEMORY_FAST_MODE?"),
            std::string::npos);
  EXPECT_NE(RefusalOf({{"OPENAI_APIKEY", "1"}}).find("did you mean OPENAI_API_KEY?"),
            std::string::npos);
}

TEST(SettingsTest, VariablesOfOtherProgramsAreLeftAlone) {
  EXPECT_EQ(RefusalOf({{"PATH", "/bin"},
                       {"HOME", "/root"},
                       {"RABBITMQ_NODENAME", "a@b"},
                       {"OPENAI_ORG_ID", "x"},
                       {"LANG", "C"}}),
            "accepted");
}

TEST(SettingsTest, AMalformedValueIsRefusedWithWhatToWrite) {
  EXPECT_NE(RefusalOf({{"REFLECTOR_WORKERS", "many"}})
                .find("REFLECTOR_WORKERS is \"many\" (environment): write a whole number from 1 to "
                      "64"),
            std::string::npos);
  EXPECT_NE(RefusalOf({{"REFLECTOR_WORKERS", "-1"}}).find("whole number"), std::string::npos);
  EXPECT_NE(RefusalOf({{"UMBRANET_LISTEN", "8080"}}).find("write HOST:PORT"), std::string::npos);
  EXPECT_NE(RefusalOf({{"UMBRANET_LISTEN", "127.0.0.1:65536"}}).find("write HOST:PORT"),
            std::string::npos);
  EXPECT_NE(RefusalOf({{"OPENAI_BASE_URL", "api.example"}}).find("write a URL"), std::string::npos);
  EXPECT_NE(RefusalOf({{"UMBRANET_LOG_LEVEL", "loud"}}).find("write one of debug, info"),
            std::string::npos);
}

TEST(SettingsTest, AMalformedSecretIsNotShown) {
  const std::string refusal = RefusalOf({{"UMBRANET_API_KEYS", "no-tenant-but-secret"}});
  EXPECT_NE(refusal.find("entry 1 names no tenant"), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find("secret"), std::string::npos) << refusal;
}

TEST(SettingsTest, WhatThisReleaseCannotDoIsRefusedRatherThanIgnored) {
  EXPECT_NE(RefusalOf({{"FAST_MODE_PERCENT", "101"}}), "accepted");
  EXPECT_EQ(RefusalOf({{"REFLECTION_QUEUE_ENABLED", "false"}}), "accepted");
  EXPECT_EQ(RefusalOf({{"POSTGRES_URL", ""}}), "accepted");
}

TEST(SettingsTest, TheFileIsNeededUntilLedgerAndGraphAreOnServers) {
  Settings settings;
  EXPECT_FALSE(settings.UsesServers());
  EXPECT_TRUE(settings.NeedsDataFolder());
  settings.redis_url = "redis://127.0.0.1";
  EXPECT_TRUE(settings.UsesServers());
  settings.postgres_url = "postgresql://127.0.0.1/umbranet";
  EXPECT_TRUE(settings.NeedsDataFolder());
  settings.neo4j_url = "http://127.0.0.1:7474";
  EXPECT_FALSE(settings.NeedsDataFolder());
}

TEST(SettingsTest, KeysThatContradictEachOtherAreRefused) {
  EXPECT_NE(RefusalOf({{"UMBRANET_API_KEYS", "a:12345678"}, {"UMBRANET_API_KEYS_FILE", "/x"}})
                .find("both set"),
            std::string::npos);
}

TEST(SettingsTest, ApiKeysNameTheirTenantAndMayBeAdmin) {
  const auto keys = ParseApiKeys("acme:key-of-acme, acme:boss-key:admin\n# a comment\nb:12345678");
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].tenant, "acme");
  EXPECT_EQ((*keys)[0].key, "key-of-acme");
  EXPECT_FALSE((*keys)[0].admin);
  EXPECT_TRUE((*keys)[1].admin);
  EXPECT_EQ((*keys)[2].tenant, "b");
}

TEST(SettingsTest, ApiKeysThatAreShortRepeatedOrOddlyEndedAreRefused) {
  EXPECT_FALSE(ParseApiKeys("acme:short").ok());
  EXPECT_FALSE(ParseApiKeys("acme:12345678,b:12345678").ok());
  EXPECT_FALSE(ParseApiKeys("acme:12345678:root").ok());
  EXPECT_FALSE(ParseApiKeys(":12345678").ok());
}

TEST(SettingsTest, TheDataFolderFollowsTheUsersHome) {
  EXPECT_EQ(LoadSettings("", {{"HOME", "/h"}}, {})->settings.data_folder,
            "/h/.local/share/umbranet");
  EXPECT_EQ(LoadSettings("", {{"HOME", "/h"}, {"XDG_DATA_HOME", "/x"}}, {})->settings.data_folder,
            "/x/umbranet");
  EXPECT_EQ(LoadSettings("", {}, {})->settings.data_folder, "umbranet-data");
}

TEST(SettingsTest, AKeyOrABaseUrlMakesAModel) {
  EXPECT_FALSE(LoadSettings("", {}, {})->settings.HasModel());
  const auto keyed = LoadSettings("", {{"OPENAI_API_KEY", "sk-x"}}, {});
  EXPECT_TRUE(keyed->settings.HasModel());
  EXPECT_EQ(keyed->settings.openai_base_url, "https://api.openai.com/v1");
  const auto local = LoadSettings("", {{"OPENAI_BASE_URL", "http://127.0.0.1:1/v1/"}}, {});
  EXPECT_TRUE(local->settings.HasModel());
  EXPECT_EQ(local->settings.openai_base_url, "http://127.0.0.1:1/v1");
}

TEST(SettingsTest, AKeyOrABaseUrlMakesAnEmbeddingEndpointUnlessTheEmbedderIsChosen) {
  EXPECT_FALSE(LoadSettings("", {}, {})->settings.HasEmbeddingEndpoint());
  const auto keyed = LoadSettings("", {{"EMBEDDING_API_KEY", "sk-x"}}, {});
  EXPECT_TRUE(keyed->settings.HasEmbeddingEndpoint());
  EXPECT_EQ(keyed->settings.embedding_base_url, "https://api.openai.com/v1");
  const std::pair<std::string, std::string> url{"EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1/"};
  EXPECT_TRUE(LoadSettings("", {url}, {})->settings.HasEmbeddingEndpoint());
  EXPECT_FALSE(LoadSettings("", {url, {"EMBEDDER", "local"}}, {})->settings.HasEmbeddingEndpoint());
  EXPECT_FALSE(LoadSettings("", {url, {"EMBEDDER", "off"}}, {})->settings.HasEmbeddingEndpoint());
  EXPECT_NE(RefusalOf({{"EMBEDDER", "endpoint"}}).find("set EMBEDDING_BASE_URL"),
            std::string::npos);
}

TEST(SettingsTest, AModelReflectsWhereOneIsSetUnlessToldOtherwise) {
  const std::pair<const std::string, std::string> url = {"OPENAI_BASE_URL",
                                                         "http://127.0.0.1:1/v1"};
  EXPECT_FALSE(LoadSettings("", {}, {})->settings.ReflectsWithModel());
  EXPECT_TRUE(LoadSettings("", {url}, {})->settings.ReflectsWithModel());
  EXPECT_FALSE(LoadSettings("", {url, {"EXTRACTOR", "rules"}}, {})->settings.ReflectsWithModel());
  EXPECT_TRUE(LoadSettings("", {url, {"EXTRACTOR", "model"}}, {})->settings.ReflectsWithModel());
  EXPECT_NE(RefusalOf({{"EXTRACTOR", "model"}}).find("OPENAI_API_KEY"), std::string::npos);
}

TEST(SettingsTest, ABatchForAModelIsLargerUnlessItsSizeIsGiven) {
  const std::pair<const std::string, std::string> url = {"OPENAI_BASE_URL",
                                                         "http://127.0.0.1:1/v1"};
  EXPECT_EQ(LoadSettings("", {}, {})->settings.reflector_batch_size, 10U);
  EXPECT_EQ(LoadSettings("", {url}, {})->settings.reflector_batch_size, 25U);
  EXPECT_EQ(
      LoadSettings("", {url, {"REFLECTOR_BATCH_SIZE", "10"}}, {})->settings.reflector_batch_size,
      10U);
}

TEST(SettingsTest, ReadsAmountsOfMoneyToTheMillionth) {
  const auto read = [](const std::string& text) {
    return LoadSettings("", {{"OPENAI_PRICE_PROMPT", text}}, {})->settings.openai_price_prompt;
  };
  EXPECT_EQ(read("2.50"), 2'500'000U);
  EXPECT_EQ(read("3"), 3'000'000U);
  EXPECT_EQ(read("0.000001"), 1U);
  for (const char* text : {"", ".", "1.", "-1", "1,5", "0.0000001", "a lot", "1.5e3"}) {
    EXPECT_NE(RefusalOf({{"OPENAI_PRICE_PROMPT", text}}).find("2.50"), std::string::npos) << text;
  }
}

TEST(SettingsTest, ABudgetWithoutAPriceIsRefused) {
  EXPECT_NE(RefusalOf({{"REFLECTION_DAILY_BUDGET", "1"}}).find("OPENAI_PRICE_PROMPT"),
            std::string::npos);
  EXPECT_EQ(RefusalOf({{"REFLECTION_DAILY_BUDGET", "1"}, {"OPENAI_PRICE_PROMPT", "0.15"}}),
            "accepted");
}

}  // namespace
}  // namespace umbranet
