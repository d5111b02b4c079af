#include "tests/doubles/raw_http_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace umbranet {
namespace {

constexpr int kPatienceSeconds = 20;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

RawHttpClient::RawHttpClient(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{};
  patience.tv_sec = kPatienceSeconds;
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(socket_);
    throw std::runtime_error("cannot connect");
  }
}

RawHttpClient::~RawHttpClient() {
  Close();
}

void RawHttpClient::Close() {
  if (socket_ >= 0) {
    close(socket_);
    socket_ = -1;
  }
}

void RawHttpClient::FinishSending() {
  shutdown(socket_, SHUT_WR);
}

void RawHttpClient::ReadSlowly() {
  const int bytes = 4096;
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

bool RawHttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawHttpClient::Fill() {
  std::array<char, 65536> bytes{};
  ssize_t got = 0;
  do {
    got = recv(socket_, bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    throw std::runtime_error("the server sent nothing for twenty seconds");
  }
  if (got <= 0) {
    return false;
  }
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawHttpClient::ReadUntil(std::string_view text) {
  std::size_t at = 0;
  while ((at = buffer_.find(text)) == std::string::npos) {
    if (!Fill()) {
      return {};
    }
  }
  std::string read = buffer_.substr(0, at + text.size());
  buffer_.erase(0, at + text.size());
  return read;
}

bool RawHttpClient::AtEnd() {
  return buffer_.empty() && !Fill();
}

RawResponse RawHttpClient::Ask(std::string_view bytes) {
  Send(bytes);
  return Read();
}

RawResponse RawHttpClient::Read(bool to_head) {
  RawResponse response;
  const std::string head = ReadUntil("\r\n\r\n");
  if (head.size() < 12) {
    return response;
  }
  response.status = std::stoi(head.substr(9, 3));
  std::string_view lines = std::string_view(head).substr(head.find("\r\n") + 2);
  while (lines.size() > 2) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(": ");
    response.headers[Lower(line.substr(0, colon))] = line.substr(colon + 2);
  }
  if (to_head || response.status == 204 || response.status < 200) {
    response.whole = true;
  } else if (const auto length = response.headers.find("content-length");
             length != response.headers.end()) {
    const auto size = static_cast<std::size_t>(std::stoul(length->second));
    while (buffer_.size() < size && Fill()) {
    }
    response.whole = buffer_.size() >= size;
    response.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
  } else if (response.headers.contains("transfer-encoding")) {
    for (;;) {
      const std::string line = ReadUntil("\r\n");
      if (line.empty()) {
        return response;
      }
      const std::size_t size = std::stoul(line, nullptr, 16);
      while (buffer_.size() < size + 2 && Fill()) {
      }
      if (buffer_.size() < size + 2) {
        return response;
      }
      response.body += buffer_.substr(0, size);
      buffer_.erase(0, size + 2);
      if (size == 0) {
        response.whole = true;
        return response;
      }
    }
  } else {
    while (Fill()) {
    }
    response.whole = true;
    response.body = std::move(buffer_);
    buffer_.clear();
  }
  return response;
}

std::string HttpPost(std::string_view path, std::string_view body, std::string_view more) {
  std::string request = "POST ";
  request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n").append(more);
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return request.append(body);
}

std::string HttpGet(std::string_view path, std::string_view more) {
  std::string request = "GET ";
  return request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n").append(more) + "\r\n";
}

}  // namespace umbranet
