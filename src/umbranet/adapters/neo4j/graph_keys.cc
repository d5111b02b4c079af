#include "umbranet/adapters/neo4j/graph_keys.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {

std::string GraphKey(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) {
    joined += std::to_string(part.size());
    joined += ':';
    joined += part;
  }
  return Sha256Hex(joined);
}

std::string GraphKeys::Key(std::initializer_list<std::string_view> parts) const {
  const std::string first = GraphKey(parts);
  return generation_ == 0 ? first : GraphKey({first, "generation", std::to_string(generation_)});
}

std::string GraphKeys::User(const UserKey& user) const {
  return Key({space_, "user", user.tenant, user.user_id});
}

std::string GraphKeys::Entity(const UserKey& user, std::string_view root) const {
  return Key({space_, "entity", user.tenant, user.user_id, root});
}

std::string GraphKeys::Name(const UserKey& user, std::string_view name) const {
  return Key({space_, "name", user.tenant, user.user_id, name});
}

std::string GraphKeys::Merge(const UserKey& user, const NamePair& names) const {
  return Key({space_, "merge", user.tenant, user.user_id, names.first, names.second});
}

std::string GraphKeys::Marker(const UserKey& user, std::string_view job_id) const {
  return Key({space_, "applied", user.tenant, user.user_id, job_id});
}

std::string GraphKeys::Statement(std::string_view tenant, std::string_view statement_id) const {
  return Key({space_, "statement", tenant, statement_id});
}

}  // namespace umbranet
