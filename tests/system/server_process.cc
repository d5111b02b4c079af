#include "tests/system/server_process.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared here.

namespace umbranet {
namespace {

// The variables of this process but for ours, which would change what is tested.
std::vector<std::string> CleanEnvironment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    constexpr std::array kOurs = {"UMBRANET_", "OPENAI_", "REFLECTOR_", "POSTGRES_",
                                  "REDIS_",    "NEO4J_",  "RABBITMQ_"};
    if (std::none_of(kOurs.begin(), kOurs.end(),
                     [text](const char* prefix) { return text.starts_with(prefix); })) {
      out.emplace_back(text);
    }
  }
  for (const auto& [name, value] : added) {
    out.push_back(name + "=" + value);
  }
  return out;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    out.push_back(text.data());
  }
  out.push_back(nullptr);
  return out;
}

pid_t Spawn(const std::vector<std::string>& arguments,
            const std::map<std::string, std::string>& environment, int in, int out,
            const std::string& error_path) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) {
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<std::string> argument_texts{UMBRANET_BINARY};
  argument_texts.insert(argument_texts.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment_texts = CleanEnvironment(environment);
  pid_t pid = -1;
  if (posix_spawn(&pid, UMBRANET_BINARY, &actions, nullptr, Pointers(argument_texts).data(),
                  Pointers(environment_texts).data()) != 0) {
    pid = -1;
  }
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string ReadUntilEnd(int descriptor) {
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(descriptor, buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

std::string ReadLine(int descriptor) {
  std::string line;
  char c = 0;
  while (read(descriptor, &c, 1) == 1 && c != '\n') {
    line += c;
  }
  return line;
}

int ExitCodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = ::testing::TempDir() + "/umbranet_XXXXXX";
  path_ = mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

CommandResult RunCommand(const std::vector<std::string>& arguments, std::string_view input,
                         const std::map<std::string, std::string>& environment) {
  const TemporaryFolder folder;
  const std::string input_path = folder.path() + "/in";
  std::ofstream(input_path, std::ios::binary) << input;
  const int in = open(input_path.c_str(), O_RDONLY | O_CLOEXEC);
  int out[2] = {-1, -1};
  CommandResult result;
  if (pipe2(out, O_CLOEXEC) != 0) {
    return result;
  }
  const pid_t pid = Spawn(arguments, environment, in, out[1], folder.path() + "/error");
  close(in);
  close(out[1]);
  result.out = ReadUntilEnd(out[0]);
  close(out[0]);
  int status = 0;
  if (pid > 0 && waitpid(pid, &status, 0) == pid) {
    result.exit_code = ExitCodeOf(status);
  }
  result.error = ReadFile(folder.path() + "/error");
  return result;
}

boost::json::object HttpReply::Json() const {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(body, error);
  EXPECT_TRUE(!error && value.is_object()) << "status " << status << ": " << body;
  return !error && value.is_object() ? value.get_object() : boost::json::object();
}

ServerProcess::ServerProcess(const std::string& data_folder,
                             const std::map<std::string, std::string>& environment,
                             const std::vector<std::string>& arguments)
    : log_path_(data_folder + ".log") {
  std::vector<std::string> all{"serve", "--data", data_folder, "--listen", "127.0.0.1:0"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  int out[2] = {-1, -1};
  if (pipe2(out, O_CLOEXEC) != 0) {
    return;
  }
  pid_ = Spawn(all, environment, -1, out[1], log_path_);
  close(out[1]);
  ready_line_ = ReadLine(out[0]);
  close(out[0]);
  const std::string_view mark = "ready on http://127.0.0.1:";
  const std::size_t at = ready_line_.find(mark);
  if (at == std::string::npos) {
    return;
  }
  port_ = static_cast<std::uint16_t>(std::atoi(ready_line_.c_str() + at + mark.size()));
  HttpClient::Options options;
  options.base = {false, "127.0.0.1", port_, ""};
  auto client = HttpClient::Open(std::move(options), clock_);
  if (client.ok()) {
    client_ = std::move(*client);
  }
}

ServerProcess::~ServerProcess() {
  client_.reset();
  Kill();
  std::error_code error;
  std::filesystem::remove(log_path_, error);
}

int ServerProcess::Wait() {
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, 0);
  pid_ = -1;
  port_ = 0;
  return ended > 0 ? ExitCodeOf(status) : -1;
}

void ServerProcess::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
}

int ServerProcess::Terminate() {
  if (pid_ <= 0) {
    return -1;
  }
  kill(pid_, SIGTERM);
  return Wait();
}

std::string ServerProcess::Log() const {
  return ReadFile(log_path_);
}

std::optional<HttpReply> ServerProcess::Call(
    std::string_view method, const std::string& target, std::string_view body,
    const std::vector<std::pair<std::string, std::string>>& headers) {
  if (client_ == nullptr) {
    return std::nullopt;
  }
  ClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  for (const auto& [name, value] : headers) {
    request.headers.emplace_back(name, value);
  }
  auto response = client_->Send(request, {}, Deadline::After(clock_, Millis{60'000}));
  if (!response.ok()) {
    return std::nullopt;
  }
  HttpReply reply;
  reply.status = response->head.status;
  for (const auto& [name, value] : response->head.headers) {
    reply.headers[name] = value;
  }
  reply.body = std::move(response->body);
  return reply;
}

std::optional<HttpReply> ServerProcess::Post(const std::string& target,
                                             const boost::json::object& body) {
  return Call("POST", target, boost::json::serialize(body), {{"Content-Type", "application/json"}});
}

bool ServerProcess::WaitReflected(const std::string& user_id) {
  // Another process cannot signal this one, so its API is asked again and again.
  const Deadline deadline = Deadline::After(clock_, Millis{120'000});
  while (!deadline.Expired()) {
    const auto fresh = Call("GET", "/v1/users/" + EncodeSegment(user_id) + "/freshness");
    if (!fresh || fresh->status != 200) {
      return false;
    }
    if (fresh->Json().at("pending").to_number<std::int64_t>() == 0) {
      return true;
    }
    std::this_thread::sleep_for(Millis{5});
  }
  return false;
}

ReflectorProcess::ReflectorProcess(std::string log_path,
                                   const std::map<std::string, std::string>& environment)
    : log_path_(std::move(log_path)) {
  int out[2] = {-1, -1};
  if (pipe2(out, O_CLOEXEC) != 0) {
    return;
  }
  pid_ = Spawn({"reflect"}, environment, -1, out[1], log_path_);
  close(out[1]);
  ready_line_ = ReadLine(out[0]);
  ready_ = ready_line_.find("reflecting") != std::string::npos;
  close(out[0]);
}

ReflectorProcess::~ReflectorProcess() {
  Kill();
}

int ReflectorProcess::Wait() {
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, 0);
  pid_ = -1;
  ready_ = false;
  return ended > 0 ? ExitCodeOf(status) : -1;
}

void ReflectorProcess::Kill() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
}

bool ReflectorProcess::Ended() const {
  siginfo_t info{};
  return pid_ > 0 &&
         waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

int ReflectorProcess::Terminate() {
  if (pid_ <= 0) {
    return -1;
  }
  kill(pid_, SIGTERM);
  return Wait();
}

std::string ReflectorProcess::Log() const {
  return ReadFile(log_path_);
}

std::string EncodeSegment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0x0fU];
    }
  }
  return out;
}

}  // namespace umbranet
