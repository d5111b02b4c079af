// A ResponseWriter that keeps what a handler answers. For one thread, but for HangUp.
#pragma once

#include <cstddef>
#include <limits>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/http/message.h"

namespace umbranet {

class RecordingWriter final : public ResponseWriter {
 public:
  RecordingWriter() = default;

  // The client hangs up after so many pieces of a stream.
  explicit RecordingWriter(std::size_t pieces_max) : pieces_max_(pieces_max) {}

  void Send(HttpResponse response) override {
    started_ = true;
    whole_ = true;
    response_ = std::move(response);
  }

  void BeginStream(HttpResponse response) override {
    started_ = true;
    streamed_ = true;
    response_ = std::move(response);
  }

  [[nodiscard]] bool Write(std::string_view piece) override {
    if (pieces_ == pieces_max_) {
      gone_.request_stop();
      return false;
    }
    ++pieces_;
    response_.body.append(piece);
    return true;
  }

  void End() override { whole_ = true; }

  [[nodiscard]] bool Started() const override { return started_; }

  [[nodiscard]] std::stop_token ClientGone() const override { return gone_.get_token(); }

  [[nodiscard]] std::stop_token Abandoned() const override { return abandoned_.get_token(); }

  [[nodiscard]] const HttpResponse& response() const { return response_; }

  [[nodiscard]] bool streamed() const { return streamed_; }

  // Sent, or streamed to its end.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  const std::size_t pieces_max_ = std::numeric_limits<std::size_t>::max();
  std::size_t pieces_ = 0;
  HttpResponse response_;
  bool started_ = false;
  bool streamed_ = false;
  bool whole_ = false;
  std::stop_source gone_;
  std::stop_source abandoned_;
};

}  // namespace umbranet
