#include "umbranet/telemetry/process_metrics.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace umbranet {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void Append(std::vector<MetricFamily>& out, std::string name, std::string help, MetricType type,
            double value) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  family.metric.resize(1);
  if (type == MetricType::Counter) {
    family.metric[0].counter.value = value;
  } else {
    family.metric[0].gauge.value = value;
  }
  out.push_back(std::move(family));
}

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Seconds since 1970 at which the machine was started.
double BootTime() {
  std::istringstream stat(ReadFile("/proc/stat"));
  std::string line;
  while (std::getline(stat, line)) {
    if (line.starts_with("btime ")) {
      std::istringstream fields(line.substr(6));
      double seconds = 0;
      fields >> seconds;
      return seconds;
    }
  }
  return 0;
}

// proc(5): the fields after the command's name, which ends at the last parenthesis and may itself
// hold spaces and parentheses.
void AppendStat(std::vector<MetricFamily>& out) {
  const std::string stat = ReadFile("/proc/self/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return;
  }
  std::istringstream stream(stat.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(stream), {}};
  constexpr std::size_t kUserTicks = 11;
  constexpr std::size_t kSystemTicks = 12;
  constexpr std::size_t kThreads = 17;
  constexpr std::size_t kStartTicks = 19;
  constexpr std::size_t kVirtualBytes = 20;
  constexpr std::size_t kResidentPages = 21;
  if (fields.size() <= kResidentPages) {
    return;
  }
  const auto number = [&fields](std::size_t at) {
    return std::strtod(fields[at].c_str(), nullptr);
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  Append(out, "process_cpu_seconds_total", "User and system time used.", MetricType::Counter,
         (number(kUserTicks) + number(kSystemTicks)) / ticks);
  Append(out, "process_threads", "Threads.", MetricType::Gauge, number(kThreads));
  Append(out, "process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge,
         number(kVirtualBytes));
  Append(out, "process_resident_memory_bytes", "Resident memory.", MetricType::Gauge,
         number(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  if (const double boot = BootTime(); boot > 0) {
    Append(out, "process_start_time_seconds", "When the process started, seconds since 1970.",
           MetricType::Gauge, boot + number(kStartTicks) / ticks);
  }
}

void AppendDescriptors(std::vector<MetricFamily>& out) {
  std::error_code error;
  std::size_t open = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++open;
  }
  if (!error && open > 0) {
    // The folder that is being read is open itself.
    Append(out, "process_open_fds", "Open file descriptors.", MetricType::Gauge,
           static_cast<double>(open - 1));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    Append(out, "process_max_fds", "Limit of open file descriptors.", MetricType::Gauge,
           static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace

std::vector<MetricFamily> ReadProcessMetrics() {
  std::vector<MetricFamily> out;
  AppendStat(out);
  AppendDescriptors(out);
  return out;
}

}  // namespace umbranet
