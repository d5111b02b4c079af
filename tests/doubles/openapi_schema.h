// As much of JSON Schema as the OpenAPI document uses. Stricter than the standard in one thing: an
// object may hold no member that its schema does not name, so that no answer outgrows the document.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace umbranet {

// The OpenAPI document that the server publishes.
const boost::json::object& OpenApi();

// The schema of this name in it. Fails with an exception when there is none.
const boost::json::object& OpenApiSchema(std::string_view name);

// "" when `value` is of this form, otherwise what is wrong and where.
std::string SchemaViolation(const boost::json::value& value, const boost::json::object& schema,
                            const std::string& where = "$");

// The same for a schema by its name.
std::string SchemaViolation(const boost::json::value& value, std::string_view schema_name);

}  // namespace umbranet
