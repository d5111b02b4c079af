// An HTTP server on loopback that plays a script: one script a request, in the order of their
// arrival, so that a test decides every byte, every pause and every hang-up that a client meets.
//
// Each connection is served by a thread of its own. All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "umbranet/base/mutex.h"

namespace umbranet {

struct SendBytes {
  std::string bytes;
  std::size_t piece_bytes = 0;  // Sent in pieces of so many bytes; 0: at once.
};

// Waits until the client closes the connection, or the server is stopped.
struct AwaitHangUp {};

// Waits for ScriptedHttpServer::Open(gate).
struct AwaitGate {
  int gate = 0;
};

// Closes the connection; `reset` throws away what is in flight, as a crash would.
struct HangUp {
  bool reset = false;
};

using ScriptStep = std::variant<SendBytes, AwaitHangUp, AwaitGate, HangUp>;
using Script = std::vector<ScriptStep>;

struct ReceivedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

class ScriptedHttpServer {
 public:
  ScriptedHttpServer();
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  using Answerer = std::function<Script(const ReceivedRequest&)>;

  // For the next request that has none yet. A request without a script is answered with 599.
  void Enqueue(Script script);
  // Makes the script of every request that has none, on the thread of its connection.
  void AnswerWith(Answerer answerer);
  void Open(int gate);

  [[nodiscard]] std::string BaseUrl() const;  // "http://127.0.0.1:port/v1"

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] std::vector<ReceivedRequest> Requests() const;
  [[nodiscard]] std::size_t ConnectionsAccepted() const;
  // Returns once so many connections were closed by the client while a script awaited that.
  void AwaitHangUps(std::size_t count) const;
  // Returns once so many requests have come.
  void AwaitRequests(std::size_t count) const;

 private:
  void AcceptLoop();
  void Serve(int descriptor);
  // False: the connection is to be closed.
  bool Play(int descriptor, const Script& script);
  bool PlayStep(int descriptor, const ScriptStep& step);
  Script TakeScript(const ReceivedRequest& request);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable Mutex mutex_;
  mutable ConditionVariable changed_;
  std::deque<Script> scripts_ GUARDED_BY(mutex_);
  std::vector<ReceivedRequest> requests_ GUARDED_BY(mutex_);
  Answerer answerer_ GUARDED_BY(mutex_);
  std::vector<int> open_gates_ GUARDED_BY(mutex_);
  std::list<int> descriptors_ GUARDED_BY(mutex_);
  std::list<std::jthread> threads_ GUARDED_BY(mutex_);
  std::size_t connections_ GUARDED_BY(mutex_) = 0;
  std::size_t hang_ups_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread acceptor_;
};

// Whole responses, for scripts.
std::string HttpResponseText(int status, std::string_view body,
                             std::string_view content_type = "application/json",
                             std::string_view more_headers = "");
// A chunked event stream whose data lines are `events`; without `ended` its last chunk is missing.
std::string EventStreamText(const std::vector<std::string>& events, bool ended = true);

}  // namespace umbranet
