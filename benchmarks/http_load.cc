// Loads a running server over HTTP and says how fast it answered.
//
//   http_load --port 8080 --mode interactions --clients 64 --seconds 10
//
//   --mode interactions   one turn a request, each durable before it is answered
//          chat           POST /v1/chat; also prints the server's own overhead, total - model
//          stream         the same with stream: true
//          recall         POST /v1/recall
//          mixed          of ten requests six interactions, two recalls, one chat, one freshness
//          fill           batches of --batch turns, --requests turns in all, then waits until they
//                         are reflected and prints turns a second
//          get            GET --path
//          post           POST --path with an empty object
//   --host 127.0.0.1  --key KEY
//   --clients 8       connections, each with one request at a time (closed loop)
//   --requests 10000  or --seconds 10
//   --warmup 0        requests that are not counted
//   --users 100       spread over so many users, named --prefix and a number
//   --prefix load-    a new one for each run keeps runs apart
//
// One thread and one epoll set, so that five hundred clients cost no five hundred threads beside
// the server that is measured.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string mode = "interactions";
  std::string key;
  std::string path = "/healthz";
  std::string prefix = "load-";
  int clients = 8;
  long requests = 0;
  double seconds = 0;
  long warmup = 0;
  int users = 100;
  int batch = 200;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "http_load: %s\n", what.c_str());
  std::exit(2);
}

Options ReadOptions(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, std::string*> texts = {
      {"--host", &options.host}, {"--mode", &options.mode},     {"--key", &options.key},
      {"--path", &options.path}, {"--prefix", &options.prefix},
  };
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 >= argc) {
      Fail("no value for " + std::string(name));
    }
    const char* value = argv[i + 1];
    if (const auto text = texts.find(name); text != texts.end()) {
      *text->second = value;
    } else if (name == "--port") {
      options.port = std::atoi(value);
    } else if (name == "--clients") {
      options.clients = std::atoi(value);
    } else if (name == "--requests") {
      options.requests = std::atol(value);
    } else if (name == "--seconds") {
      options.seconds = std::atof(value);
    } else if (name == "--warmup") {
      options.warmup = std::atol(value);
    } else if (name == "--users") {
      options.users = std::atoi(value);
    } else if (name == "--batch") {
      options.batch = std::atoi(value);
    } else {
      Fail("there is no option " + std::string(name) + "; the top of http_load.cc lists them");
    }
  }
  if (options.requests == 0 && options.seconds <= 0) {
    options.requests = 10'000;
  }
  return options;
}

// Sentences with words of varied frequency, so that an index over them is not of one posting list.
std::string Sentence(std::uint64_t n) {
  static constexpr std::array kPeople = {"my sister", "my neighbour", "Tomas",   "our teacher",
                                         "Mira",      "the plumber",  "my boss", "Ilse"};
  static constexpr std::array kDeeds = {"moved to",       "visited",           "wrote about",
                                        "wants to see",   "opened a shop in",  "got lost in",
                                        "came back from", "paints pictures of"};
  static constexpr std::array kPlaces = {"Bergen", "Coimbra", "Ghent",   "Utrecht", "Graz",
                                         "Tartu",  "Vigo",    "Lucerne", "Bath",    "Siena"};
  static constexpr std::array kThings = {"a blue kayak",   "an old camera", "two rabbits",
                                         "a pear tree",    "a cello",       "the spare key",
                                         "a wool blanket", "a fig jam",     "a paper map"};
  const std::uint64_t mixed = n * 0x9e3779b97f4a7c15ULL;
  const auto pick = [mixed](const auto& words, unsigned shift) {
    return std::string(words[(mixed >> shift) % words.size()]);
  };
  return pick(kPeople, 8) + " " + pick(kDeeds, 16) + " " + pick(kPlaces, 24) + " with " +
         pick(kThings, 32) + ", and the ticket number was " + std::to_string(mixed % 100'000);
}

std::string Turn(const Options& options, std::uint64_t n) {
  return R"({"user_id":")" + options.prefix +
         std::to_string(n % static_cast<std::uint64_t>(options.users)) + R"(","session_id":"s)" +
         std::to_string(n / 50) + R"(","user_message":"Today )" + Sentence(n) +
         R"(.","assistant_response":"Thank you, I will keep that in mind."})";
}

std::string Post(const Options& options, std::string_view path, std::string_view body) {
  std::string request =
      "POST " + std::string(path) + " HTTP/1.1\r\nHost: " + options.host +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n";
  if (!options.key.empty()) {
    request += "Authorization: Bearer " + options.key + "\r\n";
  }
  return request.append("\r\n").append(body);
}

std::string Get(const Options& options, std::string_view path) {
  std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + options.host + "\r\n";
  if (!options.key.empty()) {
    request += "Authorization: Bearer " + options.key + "\r\n";
  }
  return request + "\r\n";
}

std::string UserField(const Options& options, std::uint64_t n) {
  return R"({"user_id":")" + options.prefix +
         std::to_string(n % static_cast<std::uint64_t>(options.users)) + "\",";
}

std::string MakeRequest(const Options& options, std::uint64_t n) {
  std::string_view mode = options.mode;
  if (mode == "mixed") {
    static constexpr std::array<std::string_view, 10> kMix = {
        "interactions", "recall",       "interactions", "chat",   "interactions",
        "freshness",    "interactions", "interactions", "recall", "interactions"};
    mode = kMix.at(n % kMix.size());
  }
  if (mode == "interactions") {
    return Post(options, "/v1/interactions", Turn(options, n));
  }
  if (mode == "chat" || mode == "stream") {
    return Post(options, "/v1/chat",
                UserField(options, n) + R"("session_id":"c)" + std::to_string(n % 997) +
                    R"(","message":"I heard that )" + Sentence(n) + ".\"" +
                    (mode == "stream" ? R"(,"stream":true})" : "}"));
  }
  if (mode == "recall") {
    return Post(options, "/v1/recall",
                UserField(options, n) + R"("query":"What happened when )" + Sentence(n / 3) +
                    R"(?","limit":10})");
  }
  if (mode == "freshness") {
    return Get(options, "/v1/users/" + options.prefix +
                            std::to_string(n % static_cast<std::uint64_t>(options.users)) +
                            "/freshness");
  }
  if (mode == "get") {
    return Get(options, options.path);
  }
  if (mode == "post") {
    return Post(options, options.path, "{}");
  }
  Fail("there is no mode " + options.mode);
}

// How much of `text` is one whole response; 0 while it is not whole.
std::size_t ResponseSize(std::string_view text) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return 0;
  }
  std::string_view fields = text.substr(0, head);
  const std::size_t body = head + 4;
  if (const std::size_t at = fields.find("\r\nContent-Length: "); at != std::string_view::npos) {
    const char* digits = fields.data() + at + 18;
    std::size_t length = 0;
    std::from_chars(digits, fields.data() + fields.size(), length);
    return text.size() >= body + length ? body + length : 0;
  }
  if (fields.find("\r\nTransfer-Encoding: chunked") != std::string_view::npos) {
    const std::size_t last = text.find("\r\n0\r\n\r\n", head + 2);
    return last == std::string_view::npos ? 0 : last + 7;
  }
  return body;
}

double NumberAfter(std::string_view text, std::string_view name) {
  const std::size_t at = text.rfind(name);
  return at == std::string_view::npos ? -1 : std::atof(text.data() + at + name.size());
}

struct Report {
  std::vector<double> latencies_ms;
  std::vector<double> overheads_ms;
  std::map<int, long> statuses;
  long broken = 0;
  std::string first_error;
};

class Client {
 public:
  Client(const Options& options, int epoll) : options_(options), epoll_(epoll) { Connect(); }

  ~Client() { close(socket_); }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Begin(std::string request) {
    request_ = std::move(request);
    sent_ = 0;
    response_.clear();
    begun_ = Clock::now();
    Send();
  }

  // True when the response is whole.
  bool OnReady(std::uint32_t events, Report& report) {
    if ((events & EPOLLOUT) != 0 && sent_ < request_.size()) {
      Send();
    }
    std::array<char, 65536> bytes{};
    for (;;) {
      const ssize_t got = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
      }
      if (got <= 0) {
        ++report.broken;
        close(socket_);
        Connect();
        return true;
      }
      response_.append(bytes.data(), static_cast<std::size_t>(got));
      if (ResponseSize(response_) != 0) {
        return true;
      }
    }
  }

  void Count(Report& report) const {
    const int status = response_.size() > 12 ? std::atoi(response_.c_str() + 9) : 0;
    ++report.statuses[status];
    if (status >= 400 && report.first_error.empty()) {
      report.first_error = response_.substr(0, 600);
    }
    report.latencies_ms.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - begun_).count());
    const double total = NumberAfter(response_, R"("timings_ms":{"total":)");
    const double model = NumberAfter(response_, R"("model":)");
    if (total >= 0 && model >= 0) {
      report.overheads_ms.push_back(total - model);
    }
  }

  [[nodiscard]] const std::string& response() const { return response_; }

  [[nodiscard]] int socket() const { return socket_; }

 private:
  void Connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1 ||
        connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      Fail("cannot connect to " + options_.host + ":" + std::to_string(options_.port));
    }
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = this;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event) != 0) {
      Fail("epoll_ctl failed");
    }
  }

  void Send() {
    while (sent_ < request_.size()) {
      const ssize_t put = send(socket_, request_.data() + sent_, request_.size() - sent_,
                               MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0) {
        return;
      }
      sent_ += static_cast<std::size_t>(put);
    }
  }

  const Options& options_;
  const int epoll_;
  int socket_ = -1;
  std::string request_;
  std::size_t sent_ = 0;
  std::string response_;
  Clock::time_point begun_;
};

double Percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) {
    return 0;
  }
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void PrintPercentiles(const char* name, std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  std::printf("%s ms: p50 %.3f  p95 %.3f  p99 %.3f  max %.3f\n", name, Percentile(values, 0.5),
              Percentile(values, 0.95), Percentile(values, 0.99),
              values.empty() ? 0 : values.back());
}

// 0 when nothing failed.
int Print(const Options& options, Report& report, double elapsed_s) {
  const auto done = report.latencies_ms.size();
  std::printf("%s, %d clients: %zu requests in %.2f s = %.0f/s\n", options.mode.c_str(),
              options.clients, done, elapsed_s, static_cast<double>(done) / elapsed_s);
  PrintPercentiles("latency", report.latencies_ms);
  if (!report.overheads_ms.empty()) {
    PrintPercentiles("own overhead (total - model)", report.overheads_ms);
  }
  long failed = report.broken;
  std::printf("status:");
  for (const auto& [status, count] : report.statuses) {
    std::printf(" %d x %ld", status, count);
    failed += status >= 200 && status < 300 ? 0 : count;
  }
  std::printf(", broken connections: %ld\n", report.broken);
  if (!report.first_error.empty()) {
    std::printf("first error:\n%s\n", report.first_error.c_str());
  }
  return failed == 0 ? 0 : 1;
}

int Load(const Options& options) {
  const int epoll = epoll_create1(0);
  std::vector<std::unique_ptr<Client>> clients;
  std::uint64_t next = 0;
  for (int i = 0; i < options.clients; ++i) {
    clients.push_back(std::make_unique<Client>(options, epoll));
  }
  Report report;
  Report warmup;
  Clock::time_point begun = Clock::now();
  long to_warm = options.warmup;
  long open = 0;
  const auto wanted = [&] {
    if (options.requests > 0) {
      return next < static_cast<std::uint64_t>(options.requests + options.warmup);
    }
    return std::chrono::duration<double>(Clock::now() - begun).count() < options.seconds;
  };
  for (auto& client : clients) {
    client->Begin(MakeRequest(options, next++));
    ++open;
  }
  std::array<epoll_event, 256> events{};
  while (open > 0) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 30'000);
    if (ready == 0) {
      Fail("no answer for 30 seconds");
    }
    for (int i = 0; i < ready; ++i) {
      auto* client = static_cast<Client*>(events.at(static_cast<std::size_t>(i)).data.ptr);
      if (!client->OnReady(events.at(static_cast<std::size_t>(i)).events, report)) {
        continue;
      }
      client->Count(to_warm > 0 ? warmup : report);
      if (to_warm > 0 && --to_warm == 0) {
        begun = Clock::now();
      }
      --open;
      if (wanted()) {
        client->Begin(MakeRequest(options, next++));
        ++open;
      }
    }
  }
  const double elapsed_s = std::chrono::duration<double>(Clock::now() - begun).count();
  close(epoll);
  return Print(options, report, elapsed_s);
}

std::string Ask(Client& client, std::string request) {
  Report report;
  client.Begin(std::move(request));
  while (!client.OnReady(EPOLLOUT, report)) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  client.Count(report);
  if (!report.first_error.empty() || report.broken != 0) {
    Fail("refused: " + report.first_error);
  }
  return client.response();
}

int Fill(const Options& options) {
  const int epoll = epoll_create1(0);
  Client client(options, epoll);
  const Clock::time_point begun = Clock::now();
  for (long n = 0; n < options.requests;) {
    std::string items = R"({"items":[)";
    for (int i = 0; i < options.batch && n < options.requests; ++i, ++n) {
      items += (i == 0 ? "" : ",") + Turn(options, static_cast<std::uint64_t>(n));
    }
    Ask(client, Post(options, "/v1/interactions", items + "]}"));
  }
  const double stored_s = std::chrono::duration<double>(Clock::now() - begun).count();
  for (int user = 0; user < options.users; ++user) {
    const std::string path = "/v1/users/" + options.prefix + std::to_string(user) + "/freshness";
    while (NumberAfter(Ask(client, Get(options, path)), R"("pending":)") > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  const double reflected_s = std::chrono::duration<double>(Clock::now() - begun).count();
  const auto turns = static_cast<double>(options.requests);
  std::printf("%ld turns of %d users: stored in %.2f s = %.0f/s, reflected in %.2f s = %.0f/s\n",
              options.requests, options.users, stored_s, turns / stored_s, reflected_s,
              turns / reflected_s);
  close(epoll);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ReadOptions(argc, argv);
  return options.mode == "fill" ? Fill(options) : Load(options);
}
