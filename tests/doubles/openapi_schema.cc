#include "tests/doubles/openapi_schema.h"

#include <algorithm>
#include <set>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/http/openapi_document.h"

namespace umbranet {
namespace {

namespace json = boost::json;

const json::object& Resolve(const json::object& schema) {
  const json::value* reference = schema.if_contains("$ref");
  if (reference == nullptr) {
    return schema;
  }
  const std::string_view path(reference->as_string());
  return OpenApiSchema(path.substr(path.rfind('/') + 1));
}

bool HasType(const json::value& value, std::string_view type) {
  return type == "object"    ? value.is_object()
         : type == "array"   ? value.is_array()
         : type == "string"  ? value.is_string()
         : type == "boolean" ? value.is_bool()
         : type == "null"    ? value.is_null()
         : type == "integer" ? value.is_int64() || value.is_uint64()
                             : type == "number" && value.is_number();
}

bool TypeAllows(const json::value& value, const json::value& type) {
  if (type.is_string()) {
    return HasType(value, std::string_view(type.get_string()));
  }
  const json::array& types = type.as_array();
  return std::any_of(types.begin(), types.end(),
                     [&value](const json::value& one) { return TypeAllows(value, one); });
}

// Names and schemas of all members, those of every part of an allOf together.
void CollectProperties(const json::object& schema, json::object& properties,
                       std::set<std::string>& required) {
  const json::object& resolved = Resolve(schema);
  if (const json::value* parts = resolved.if_contains("allOf")) {
    for (const json::value& part : parts->as_array()) {
      CollectProperties(part.as_object(), properties, required);
    }
  }
  if (const json::value* own = resolved.if_contains("properties")) {
    for (const auto& property : own->as_object()) {
      properties[property.key()] = property.value();
    }
  }
  if (const json::value* names = resolved.if_contains("required")) {
    for (const json::value& name : names->as_array()) {
      required.emplace(std::string_view(name.as_string()));
    }
  }
}

std::string ObjectViolation(const json::object& value, const json::object& schema,
                            const std::string& where) {
  json::object properties;
  std::set<std::string> required;
  CollectProperties(schema, properties, required);
  if (properties.empty()) {
    return "";
  }
  for (const auto& member : value) {
    const json::value* property = properties.if_contains(member.key());
    const std::string path = where + "." + std::string(std::string_view(member.key()));
    if (property == nullptr) {
      return path + " is not in the document";
    }
    if (std::string violation = SchemaViolation(member.value(), property->as_object(), path);
        !violation.empty()) {
      return violation;
    }
  }
  for (const std::string& name : required) {
    if (!value.contains(name)) {
      return where + "." + name + " is missing";
    }
  }
  return "";
}

}  // namespace

const json::object& OpenApi() {
  static const json::value document = [] {
    const std::string_view text = OpenApiDocument();
    return json::parse(json::string_view(text.data(), text.size()));
  }();
  return document.as_object();
}

const json::object& OpenApiSchema(std::string_view name) {
  return OpenApi()
      .at("components")
      .as_object()
      .at("schemas")
      .as_object()
      .at(json::string_view(name.data(), name.size()))
      .as_object();
}

std::string SchemaViolation(const json::value& value, const json::object& schema,
                            const std::string& where) {
  const json::object& resolved = Resolve(schema);
  if (const json::value* type = resolved.if_contains("type");
      type != nullptr && !TypeAllows(value, *type)) {
    return where + " is not of type " + json::serialize(*type);
  }
  if (const json::value* allowed = resolved.if_contains("enum")) {
    const json::array& values = allowed->as_array();
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      return where + " is none of " + json::serialize(*allowed);
    }
  }
  if (const json::array* members = value.if_array(); members != nullptr) {
    if (const json::value* items = resolved.if_contains("items")) {
      for (std::size_t i = 0; i < members->size(); ++i) {
        if (std::string violation = SchemaViolation((*members)[i], items->as_object(),
                                                    where + "[" + std::to_string(i) + "]");
            !violation.empty()) {
          return violation;
        }
      }
    }
  }
  return value.is_object() ? ObjectViolation(value.get_object(), schema, where) : "";
}

std::string SchemaViolation(const json::value& value, std::string_view schema_name) {
  return SchemaViolation(value, OpenApiSchema(schema_name));
}

}  // namespace umbranet
