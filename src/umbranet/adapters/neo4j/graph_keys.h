// The single keys under which nodes are unique: digests of everything that makes a node what it
// is, tenant and user first. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/domain/interaction.h"
#include "umbranet/domain/name_graph.h"

namespace umbranet {

// Lower-case hexadecimal SHA-256 of the parts, each preceded by its length, so that no two lists of
// parts have the same digest.
std::string GraphKey(std::initializer_list<std::string_view> parts);

// The keys of one installation's nodes; several may share a database under different names. Those
// of users' first generations, numbered 0, or of another one (ports/semantic_generations.h).
class GraphKeys {
 public:
  explicit GraphKeys(std::string space, std::int64_t generation = 0)
      : space_(std::move(space)), generation_(generation) {}

  [[nodiscard]] const std::string& space() const { return space_; }

  [[nodiscard]] std::int64_t generation() const { return generation_; }

  [[nodiscard]] GraphKeys Of(std::int64_t generation) const {
    return GraphKeys(space_, generation);
  }

  [[nodiscard]] std::string User(const UserKey& user) const;
  [[nodiscard]] std::string Entity(const UserKey& user, std::string_view root) const;
  [[nodiscard]] std::string Name(const UserKey& user, std::string_view name) const;
  [[nodiscard]] std::string Merge(const UserKey& user, const NamePair& names) const;
  [[nodiscard]] std::string Marker(const UserKey& user, std::string_view job_id) const;
  // Statement ids are made of tenant and user; a memory is looked up by tenant and id alone.
  [[nodiscard]] std::string Statement(std::string_view tenant, std::string_view statement_id) const;

 private:
  [[nodiscard]] std::string Key(std::initializer_list<std::string_view> parts) const;

  std::string space_;
  std::int64_t generation_;
};

}  // namespace umbranet
