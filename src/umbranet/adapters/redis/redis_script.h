// A Lua script that the server runs as one step: nothing of another client's comes in between.
#pragma once

#include <string>
#include <string_view>

namespace umbranet {

struct RedisScript {
  // `source` must live as long as the script: a constant.
  explicit RedisScript(std::string_view source);

  std::string_view text;
  std::string digest;  // By which a server that has seen it knows it, lower-case hexadecimal.
};

}  // namespace umbranet
