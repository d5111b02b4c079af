// Goal: what is written is JSON, whatever text it carries.
// Method: written and read back with a parser.
#include "umbranet/http/json_writer.h"

#include <cmath>
#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

TEST(JsonWriterTest, WritesObjectsArraysAndScalars) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject().Field("s", "x").Field("n", 7U).Field("b", true);
  json.Key("a").BeginArray().Signed(-1).Null().BeginObject().EndObject().EndArray();
  json.Key("r").Raw("{\"k\":1}").Field("t", FromUnixMillis(0)).EndObject();
  EXPECT_EQ(out,
            R"({"s":"x","n":7,"b":true,"a":[-1,null,{}],"r":{"k":1},"t":"1970-01-01T00:00:00Z"})");
}

TEST(JsonWriterTest, WritesNumbersShortly) {
  const auto written = [](double value, int decimals) {
    std::string out;
    JsonWriter(out).Number(value, decimals);
    return out;
  };
  EXPECT_EQ(written(1.5, 3), "1.5");
  EXPECT_EQ(written(2, 3), "2");
  EXPECT_EQ(written(0.0004, 3), "0");
  EXPECT_EQ(written(-0.0001, 3), "0");
  EXPECT_EQ(written(100, 0), "100");
  EXPECT_EQ(written(NAN, 3), "0");
  EXPECT_EQ(written(INFINITY, 3), "0");
  EXPECT_EQ(written(1e300, 3), "0");
}

TEST(JsonWriterTest, ReplacesBytesThatAreNotUtf8) {
  std::string out;
  JsonWriter(out).String("a\xff\xe2\x82z\xe2\x82\xac");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xe2\x82\xac\"");
}

TEST(JsonWriterTest, AnyBytesComeOutAsAStringThatParses) {
  EXPECT_TRUE(rc::check("any bytes", [](const std::string& bytes) {
    std::string out;
    JsonWriter(out).String(bytes);
    const auto value = boost::json::parse(out);
    if (IsValidUtf8(bytes)) {
      RC_ASSERT(std::string(value.as_string()) == bytes);
    }
  }));
}

}  // namespace
}  // namespace umbranet
