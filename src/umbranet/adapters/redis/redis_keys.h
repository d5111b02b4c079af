// The names of everything that the short-term memory keeps in Redis. Pure, callable from any
// thread.
//
// User and session are digested, so that whatever they are called cannot reach another's keys; the
// braces keep all keys of a user in one slot of a cluster, so that a script may use them together.
#pragma once

#include <string>
#include <string_view>

#include "umbranet/domain/interaction.h"

namespace umbranet {

class RedisUserKeys {
 public:
  // `prefix` is the installation's, "umbranet" say: two that share a database differ in it.
  RedisUserKeys(std::string_view prefix, const UserKey& user);

  // The set of the user's sessions, by SessionName: what there is to erase.
  [[nodiscard]] std::string Sessions() const { return base_ + "sessions"; }

  // When the user was last forgotten, Unix milliseconds.
  [[nodiscard]] std::string Erased() const { return base_ + "erased"; }

  // The turns of a session, a sorted set by sequence, and what is known about them, a hash.
  [[nodiscard]] std::string Turns(std::string_view session_name) const {
    return base_ + std::string(session_name) + ":turns";
  }

  [[nodiscard]] std::string About(std::string_view session_name) const {
    return base_ + std::string(session_name) + ":about";
  }

  // What the names above begin with.
  [[nodiscard]] const std::string& base() const { return base_; }

  static std::string SessionName(std::string_view session_id);

 private:
  std::string base_;
};

}  // namespace umbranet
