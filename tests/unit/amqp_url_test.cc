// Goal: RABBITMQ_URL means what it means to every other client, and a mistake in it is explained
// without repeating it.
// Method: URLs beside what they mean, and URLs beside what is said about them.
#include "umbranet/adapters/rabbitmq/amqp_url.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using testing::HasSubstr;
using testing::Not;

AmqpUrl Parsed(std::string_view text) {
  const auto url = ParseAmqpUrl(text);
  EXPECT_TRUE(url.ok()) << text << ": " << (url.ok() ? "" : url.error().message);
  return url.ok() ? *url : AmqpUrl{};
}

TEST(AmqpUrl, FillsInWhatIsLeftOut) {
  EXPECT_EQ(Parsed("amqp://broker"), (AmqpUrl{.host = "broker"}));
  EXPECT_EQ(Parsed("amqp://broker/"), (AmqpUrl{.host = "broker"}));
  EXPECT_EQ(Parsed("AMQPS://Broker"), (AmqpUrl{.tls = true, .host = "broker", .port = 5671}));
}

TEST(AmqpUrl, ReadsEveryPart) {
  EXPECT_EQ(Parsed("amqp://umbranet:secret@rabbit_mq.local:21400/memory"),
            (AmqpUrl{.host = "rabbit_mq.local",
                     .port = 21400,
                     .user = "umbranet",
                     .password = "secret",
                     .vhost = "memory"}));
  EXPECT_EQ(Parsed("amqp://[::1]:5673/").host, "::1");
  EXPECT_EQ(Parsed("amqp://[::1]:5673/").port, 5673);
  EXPECT_EQ(Parsed("amqp://ana@broker").password, "");
  EXPECT_EQ(Parsed("amqps://broker/?cacertfile=/etc/ssl/my%20ca.pem").ca_file,
            "/etc/ssl/my ca.pem");
}

TEST(AmqpUrl, UndoesPercentEscapes) {
  const AmqpUrl url = Parsed("amqp://a%40b:p%3A%2F%40%25@broker/%2Fteam%2Fa");
  EXPECT_EQ(url.user, "a@b");
  EXPECT_EQ(url.password, "p:/@%");
  EXPECT_EQ(url.vhost, "/team/a");
}

TEST(AmqpUrl, SaysWhatToWriteInsteadAndRepeatsNothing) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"http://ana:hush@broker", "amqp:// or amqps://"},
      {"hush", "amqp:// or amqps://"},
      {"amqp://ana:hush@", "host"},
      {"amqp://ana:hush@bro ker", "host"},
      {"amqp://ana:hush@broker:0", "port"},
      {"amqp://ana:hush@broker:70000", "port"},
      {"amqp://ana:hush@broker:", "port"},
      {"amqp://ana:hush@[::1", "bracket"},
      {"amqp://ana:hush%2@broker", "%XX"},
      {"amqp://ana:hush%00@broker", "%XX"},
      {"amqp://:hush@broker", "user name"},
      {"amqp://ana:hush#1@broker", "%23"},
      {"amqp://ana:hush@broker/a/b", "%2F"},
      {"amqp://ana:hush@broker/%FF", "%2F"},
      {"amqp://ana:hush@broker/?heartbeat=5", "cacertfile"},
      {"amqp://ana:hush@broker/?cacertfile=/ca.pem", "cacertfile"},
      {"amqp://ana:hush@" + std::string(5000, 'x'), "4096"},
  };
  for (const auto& [text, advice] : wrong) {
    const auto url = ParseAmqpUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(url.error().message, HasSubstr(advice)) << text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("hush")));
  }
}

TEST(AmqpUrl, IsShownWithoutItsPassword) {
  const AmqpUrl url = Parsed("amqps://ana:hush@[::1]:21400/memory");
  EXPECT_EQ(MaskedUrl(url), "amqps://ana:***@[::1]:21400/memory");
  EXPECT_EQ(ServerName(url), "RabbitMQ at [::1]:21400");
  EXPECT_EQ(MaskedUrl(Parsed("amqp://broker")), "amqp://guest:***@broker:5672/");
}

}  // namespace
}  // namespace umbranet
