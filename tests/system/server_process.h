// The built binary as its user runs it: a process of its own on a folder and a loopback port of its
// own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <sys/types.h>

#include "umbranet/base/clock.h"
#include "umbranet/net/http_client.h"

namespace umbranet {

// A folder under the test's temporary folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a command left behind.
struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string error;
};

// Runs `umbranet arguments...` to its end. `input` is its standard input.
CommandResult RunCommand(const std::vector<std::string>& arguments, std::string_view input = {},
                         const std::map<std::string, std::string>& environment = {});

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;

  // The body as an object; a test fails when it is none.
  [[nodiscard]] boost::json::object Json() const;
};

class ServerProcess {
 public:
  // Starts `umbranet serve` and waits for its ready line. Check Running() before anything else.
  explicit ServerProcess(const std::string& data_folder,
                         const std::map<std::string, std::string>& environment = {},
                         const std::vector<std::string>& arguments = {});
  // kill -9 when it still runs.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] bool Running() const { return port_ != 0; }

  [[nodiscard]] std::uint16_t Port() const { return port_; }

  [[nodiscard]] pid_t Pid() const { return pid_; }

  [[nodiscard]] const std::string& ReadyLine() const { return ready_line_; }

  void Kill();      // SIGKILL, and waits for the end.
  int Terminate();  // SIGTERM; the exit code, or 128 + the signal that ended it.
  [[nodiscard]] std::string Log() const;  // What it wrote to standard error so far.

  // One request; nothing when the server did not answer.
  std::optional<HttpReply> Call(
      std::string_view method, const std::string& target, std::string_view body = {},
      const std::vector<std::pair<std::string, std::string>>& headers = {});
  std::optional<HttpReply> Post(const std::string& target, const boost::json::object& body);

  // Waits until nothing of the user is pending; false when that takes longer than half a minute.
  bool WaitReflected(const std::string& user_id);

 private:
  int Wait();

  const SystemClock clock_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  std::string ready_line_;
  std::string log_path_;
  std::unique_ptr<HttpClient> client_;
};

// `umbranet reflect`, over servers.
class ReflectorProcess {
 public:
  // Waits for its ready line. `log_path`: where its standard error goes.
  ReflectorProcess(std::string log_path, const std::map<std::string, std::string>& environment);
  // kill -9 when it still runs.
  ~ReflectorProcess();
  ReflectorProcess(const ReflectorProcess&) = delete;
  ReflectorProcess& operator=(const ReflectorProcess&) = delete;

  [[nodiscard]] bool Running() const { return ready_; }

  [[nodiscard]] const std::string& ReadyLine() const { return ready_line_; }

  void Kill();      // SIGKILL, and waits for the end.
  int Terminate();  // SIGTERM; the exit code, or 128 + the signal that ended it.
  // Whether it has ended by itself.
  [[nodiscard]] bool Ended() const;
  [[nodiscard]] std::string Log() const;

 private:
  int Wait();

  pid_t pid_ = -1;
  bool ready_ = false;
  std::string ready_line_;
  std::string log_path_;
};

// One path segment, percent-encoded.
std::string EncodeSegment(std::string_view text);

}  // namespace umbranet
