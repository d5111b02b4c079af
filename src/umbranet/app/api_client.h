// How the commands reach the memory: through the API of the server that holds the data folder, or,
// when none does, by opening the folder in this process and serving the same API to itself alone.
// Either way a command speaks HTTP and cannot tell the difference.
//
// One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"

namespace umbranet {

class ApiClient {
 public:
  struct Target {
    std::string url;      // Ask this server and no other; empty: find out from the data folder.
    bool reflect = true;  // Whether a folder opened here is reflected meanwhile.
  };

  using Headers = std::vector<std::pair<std::string, std::string>>;

  static Result<std::unique_ptr<ApiClient>> Connect(const Settings& settings, const Target& target,
                                                    const Clock& clock);
  virtual ~ApiClient() = default;

  // The JSON object that a 2xx answer carries (empty for 204). A problem document becomes an Error
  // whose message is its detail and whose code fits its status.
  virtual Result<boost::json::object> Call(std::string_view method, const std::string& path,
                                           const std::optional<boost::json::object>& body,
                                           Deadline deadline) = 0;

  // The same for an answer that comes in pieces: event streams and NDJSON. False from the sink ends
  // it.
  virtual Status Stream(std::string_view method, const std::string& path,
                        const std::optional<boost::json::object>& body,
                        const std::function<bool(std::string_view piece)>& sink,
                        Deadline deadline) = 0;

  // For messages: "the server at http://127.0.0.1:8080", "the folder /var/lib/umbranet".
  [[nodiscard]] virtual std::string Where() const = 0;
};

// Escapes everything but unreserved characters, so that any user id is one path segment.
std::string PathSegment(std::string_view text);

}  // namespace umbranet
