// Goal: the OpenAPI document and the server say the same.
// Method: every route is looked up in the document and the other way round; the tables that
// requests are checked against are compared with their schemas field by field.
#include <algorithm>
#include <set>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "umbranet/http/request_tables.h"

#include "tests/doubles/openapi_schema.h"
#include "tests/unit/api_fixture.h"

namespace umbranet {
namespace {

namespace json = boost::json;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

using OpenApiTest = ApiTest;

TEST_F(OpenApiTest, EveryRouteIsInTheDocumentAndNothingElse) {
  std::set<std::string> served;
  for (const Route& route : router_->routes()) {
    served.insert(Lower(route.method) + " " + route.pattern);
  }
  std::set<std::string> documented;
  for (const auto& path : OpenApi().at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      documented.insert(std::string(std::string_view(operation.key())) + " " +
                        std::string(std::string_view(path.key())));
    }
  }
  EXPECT_EQ(served, documented);
}

TEST_F(OpenApiTest, OperationsSayWhoMayUseThemAndWhichIdsTheyTake) {
  std::set<std::string> ids;
  for (const Route& route : router_->routes()) {
    const json::object& operation =
        OpenApi().at("paths").at(route.pattern).at(Lower(route.method)).as_object();
    EXPECT_EQ(operation.contains("security"), route.access == Access::kPublic) << route.pattern;
    EXPECT_TRUE(operation.at("responses").as_object().contains("default")) << route.pattern;
    EXPECT_TRUE(ids.insert(std::string(operation.at("operationId").as_string())).second);
    std::set<std::string> wanted;
    for (std::size_t at = 0; (at = route.pattern.find('{', at)) != std::string::npos; ++at) {
      wanted.insert("#/components/parameters/" +
                    route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1));
    }
    std::set<std::string> given;
    if (const json::value* parameters = operation.if_contains("parameters")) {
      for (const json::value& parameter : parameters->as_array()) {
        const std::string reference(parameter.at("$ref").as_string());
        const std::string name = reference.substr(reference.rfind('/') + 1);
        const json::value& target = OpenApi().at("components").at("parameters").at(name);
        if (target.at("in") == "path") {
          given.insert(reference);
        }
      }
    }
    EXPECT_EQ(given, wanted) << route.pattern;
  }
}

std::string JsonTypeOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBoolean:
      return "boolean";
    case FieldKind::kInteger:
      return "integer";
    case FieldKind::kObject:
      return "object";
    case FieldKind::kChoices:
    case FieldKind::kObjects:
      return "array";
    default:
      return "string";
  }
}

void ExpectBounds(const FieldTable& field, const json::object& schema, const char* min,
                  const char* max) {
  const json::value* least = schema.if_contains(min);
  ASSERT_NE(least, nullptr) << field.name;
  ASSERT_NE(schema.if_contains(max), nullptr) << field.name;
  EXPECT_EQ(*least, field.min) << field.name;
  EXPECT_EQ(schema.at(max), field.max) << field.name;
}

void ExpectSameField(const FieldTable& field, const json::object& schema) {
  if (field.kind == FieldKind::kObject && field.object != nullptr) {
    EXPECT_EQ(TextOf(schema.at("oneOf").at(0).at("$ref")),
              "#/components/schemas/" + std::string(field.object->name));
    return;
  }
  const json::value type = field.required
                               ? json::value(JsonTypeOf(field.kind))
                               : json::value(json::array{JsonTypeOf(field.kind), "null"});
  EXPECT_EQ(schema.at("type"), type) << field.name;
  if (field.kind == FieldKind::kText || field.kind == FieldKind::kIdentifier ||
      field.kind == FieldKind::kTimestamp) {
    ExpectBounds(field, schema, "minLength", "maxLength");
    EXPECT_EQ(schema.contains("format"), field.kind == FieldKind::kTimestamp) << field.name;
  } else if (field.kind == FieldKind::kInteger) {
    ExpectBounds(field, schema, "minimum", "maximum");
  } else if (field.kind == FieldKind::kObjects || field.kind == FieldKind::kChoices) {
    ExpectBounds(field, schema, "minItems", "maxItems");
  }
  if (field.kind == FieldKind::kObjects) {
    EXPECT_EQ(TextOf(schema.at("items").at("$ref")),
              "#/components/schemas/" + std::string(field.object->name));
  }
  if (!field.choices.empty()) {
    json::array choices;
    for (const std::string_view choice : field.choices) {
      choices.emplace_back(json::string_view(choice.data(), choice.size()));
    }
    if (field.kind == FieldKind::kChoices) {
      EXPECT_EQ(schema.at("items").at("enum"), choices) << field.name;
    } else {
      if (!field.required) {
        choices.emplace_back(nullptr);
      }
      EXPECT_EQ(schema.at("enum"), choices) << field.name;
    }
  }
}

TEST_F(OpenApiTest, RequestSchemasAreTheTablesThatRequestsAreCheckedAgainst) {
  for (const ObjectTable* table : RequestTables()) {
    SCOPED_TRACE(table->name);
    const json::object& schema = OpenApiSchema(table->name);
    EXPECT_EQ(schema.at("additionalProperties"), false);
    std::set<std::string> documented;
    for (const auto& property : schema.at("properties").as_object()) {
      documented.emplace(std::string_view(property.key()));
    }
    std::set<std::string> taken;
    std::set<std::string> required;
    for (const FieldTable& field : table->fields) {
      taken.emplace(field.name);
      if (field.required) {
        required.emplace(field.name);
      }
      if (documented.contains(std::string(field.name))) {
        ExpectSameField(field, schema.at("properties").at(std::string(field.name)).as_object());
      }
    }
    EXPECT_EQ(taken, documented);
    std::set<std::string> documented_required;
    if (const json::value* names = schema.if_contains("required")) {
      for (const json::value& name : names->as_array()) {
        documented_required.emplace(std::string_view(name.as_string()));
      }
    }
    EXPECT_EQ(required, documented_required);
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::vector<const json::value*> open = {&OpenApi().at("paths"), &OpenApi().at("components")};
  std::size_t references = 0;
  while (!open.empty()) {
    const json::value* value = open.back();
    open.pop_back();
    if (const json::object* object = value->if_object()) {
      for (const auto& member : *object) {
        if (member.key() == "$ref") {
          ++references;
          std::string pointer(member.value().as_string());
          ASSERT_TRUE(pointer.starts_with("#/components/")) << pointer;
          json::error_code error;
          json::value whole = OpenApi();
          EXPECT_NE(whole.find_pointer(pointer.substr(1), error), nullptr) << pointer;
        } else {
          open.push_back(&member.value());
        }
      }
    } else if (const json::array* array = value->if_array()) {
      for (const json::value& member : *array) {
        open.push_back(&member);
      }
    }
  }
  EXPECT_GT(references, 50U);
}

TEST_F(OpenApiTest, IsServedToAnybody) {
  keys_ = {{"acme", "k", false}};
  Build();
  const ApiAnswer answer = Call("GET", "/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json(), json::value(OpenApi()));
}

}  // namespace
}  // namespace umbranet
