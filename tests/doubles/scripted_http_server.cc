#include "tests/doubles/scripted_http_server.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace umbranet {
namespace {

constexpr int kBacklog = 1024;

// Reads one request of the connection; `buffer` keeps what came after it.
std::optional<ReceivedRequest> ReadRequest(int descriptor, std::string& buffer) {
  ReceivedRequest request;
  std::size_t head_end = std::string::npos;
  std::size_t length = 0;
  for (;;) {
    head_end = buffer.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::size_t at = buffer.find("Content-Length: ");
      length = at < head_end ? std::strtoul(buffer.c_str() + at + 16, nullptr, 10) : 0;
      if (buffer.size() >= head_end + 4 + length) {
        break;
      }
    }
    std::array<char, 4096> bytes{};
    const ssize_t size = ::recv(descriptor, bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      return std::nullopt;
    }
    buffer.append(bytes.data(), static_cast<std::size_t>(size));
  }
  std::size_t line_at = 0;
  while (line_at < head_end) {
    const std::size_t line_end = buffer.find("\r\n", line_at);
    const std::string line = buffer.substr(line_at, line_end - line_at);
    if (line_at == 0) {
      const std::size_t space = line.find(' ');
      request.method = line.substr(0, space);
      request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
    } else if (const std::size_t colon = line.find(": "); colon != std::string::npos) {
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      request.headers[name] = line.substr(colon + 2);
    }
    line_at = line_end + 2;
  }
  request.body = buffer.substr(head_end + 4, length);
  buffer.erase(0, head_end + 4 + length);
  return request;
}

bool SendAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

[[noreturn]] void Give(const char* what) {
  std::perror(what);
  std::abort();
}

}  // namespace

ScriptedHttpServer::ScriptedHttpServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 ||
      ::listen(listener_, kBacklog) != 0 || ::getsockname(listener_, generic, &size) != 0) {
    Give("scripted http server");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { AcceptLoop(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  std::list<std::jthread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const int descriptor : descriptors_) {
      ::shutdown(descriptor, SHUT_RDWR);
    }
    changed_.NotifyAll();
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  threads.clear();
  ::close(listener_);
}

void ScriptedHttpServer::Enqueue(Script script) {
  MutexLock lock(mutex_);
  scripts_.push_back(std::move(script));
}

void ScriptedHttpServer::Open(int gate) {
  MutexLock lock(mutex_);
  open_gates_.push_back(gate);
  changed_.NotifyAll();
}

std::string ScriptedHttpServer::BaseUrl() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1";
}

std::vector<ReceivedRequest> ScriptedHttpServer::Requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

std::size_t ScriptedHttpServer::ConnectionsAccepted() const {
  MutexLock lock(mutex_);
  return connections_;
}

void ScriptedHttpServer::AwaitHangUps(std::size_t count) const {
  MutexLock lock(mutex_);
  while (hang_ups_ < count) {
    changed_.Wait(mutex_);
  }
}

void ScriptedHttpServer::AwaitRequests(std::size_t count) const {
  MutexLock lock(mutex_);
  while (requests_.size() < count) {
    changed_.Wait(mutex_);
  }
}

void ScriptedHttpServer::AcceptLoop() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) {
      return;
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    MutexLock lock(mutex_);
    if (stopping_) {
      ::close(descriptor);
      return;
    }
    ++connections_;
    descriptors_.push_back(descriptor);
    threads_.emplace_back([this, descriptor] { Serve(descriptor); });
  }
}

void ScriptedHttpServer::AnswerWith(Answerer answerer) {
  MutexLock lock(mutex_);
  answerer_ = std::move(answerer);
}

Script ScriptedHttpServer::TakeScript(const ReceivedRequest& request) {
  Answerer answerer;
  {
    MutexLock lock(mutex_);
    requests_.push_back(request);
    changed_.NotifyAll();
    if (!scripts_.empty()) {
      Script script = std::move(scripts_.front());
      scripts_.pop_front();
      return script;
    }
    answerer = answerer_;
  }
  if (!answerer) {
    return {SendBytes{HttpResponseText(599, "{}")}};
  }
  return answerer(request);
}

void ScriptedHttpServer::Serve(int descriptor) {
  std::string buffer;
  for (;;) {
    std::optional<ReceivedRequest> request = ReadRequest(descriptor, buffer);
    if (!request || !Play(descriptor, TakeScript(*request))) {
      break;
    }
  }
  MutexLock lock(mutex_);
  descriptors_.remove(descriptor);
  ::close(descriptor);
}

bool ScriptedHttpServer::Play(int descriptor, const Script& script) {
  return std::all_of(script.begin(), script.end(),
                     [&](const ScriptStep& step) { return PlayStep(descriptor, step); });
}

bool ScriptedHttpServer::PlayStep(int descriptor, const ScriptStep& step) {
  if (const auto* send = std::get_if<SendBytes>(&step)) {
    std::string_view bytes = send->bytes;
    const std::size_t piece = send->piece_bytes == 0 ? bytes.size() : send->piece_bytes;
    while (!bytes.empty()) {
      if (!SendAll(descriptor, bytes.substr(0, piece))) {
        return false;
      }
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return true;
  }
  if (const auto* wait = std::get_if<AwaitGate>(&step)) {
    MutexLock lock(mutex_);
    while (!stopping_ &&
           std::find(open_gates_.begin(), open_gates_.end(), wait->gate) == open_gates_.end()) {
      changed_.Wait(mutex_);
    }
    return !stopping_;
  }
  if (std::holds_alternative<AwaitHangUp>(step)) {
    char byte = 0;
    while (::recv(descriptor, &byte, 1, 0) > 0) {
    }
    MutexLock lock(mutex_);
    ++hang_ups_;
    changed_.NotifyAll();
    return false;
  }
  if (std::get<HangUp>(step).reset) {
    const linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  return false;
}

std::string HttpResponseText(int status, std::string_view body, std::string_view content_type,
                             std::string_view more_headers) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\nContent-Type: ";
  text.append(content_type).append("\r\n").append(more_headers).append("Content-Length: ");
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return text;
}

std::string EventStreamText(const std::vector<std::string>& events, bool ended) {
  std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& event : events) {
    const std::string data = "data: " + event + "\n\n";
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
    text.append(size.data()).append(data).append("\r\n");
  }
  return ended ? text + "0\r\n\r\n" : text;
}

}  // namespace umbranet
