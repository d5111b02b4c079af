// The processes of the PostgreSQL server that scripts/services started in this tree, to be frozen
// and killed. Whoever does so starts it again. One thread.
#pragma once

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/types.h>

#include "umbranet/base/clock.h"

namespace umbranet {

class PostgresServer {
 public:
  // 0 when it is not known.
  static pid_t Pid() {
    std::ifstream file(UMBRANET_SOURCE_DIR "/build/services/postgres/pid");
    pid_t pid = 0;
    file >> pid;
    return pid;
  }

  // Of the postmaster and all its children at once: they are frozen first, so that none is forked
  // and none serves a request between two signals.
  static void Signal(int signal) {
    const pid_t postmaster = Pid();
    ASSERT_GT(postmaster, 0);
    const std::vector<pid_t> children = Freeze(postmaster);
    ASSERT_FALSE(children.empty()) << "PostgreSQL did not stop within 10 s";
    if (signal == SIGSTOP) {
      return;
    }
    for (const pid_t child : children) {
      kill(child, signal);
    }
    kill(postmaster, signal);
  }

  static bool StartAgain() {
    return std::system(UMBRANET_SOURCE_DIR "/scripts/services up postgres > /dev/null 2>&1") == 0;
  }

 private:
  // The kernel's list of children may miss some while others end (proc(5)), and a signal is only
  // sent when kill returns: so until a whole list is seen to be stopped, twice. Empty when it does
  // not come to that.
  static std::vector<pid_t> Freeze(pid_t postmaster) {
    const SystemClock clock;
    const Deadline patience = Deadline::After(clock, std::chrono::seconds(10));
    std::vector<pid_t> before;
    while (!patience.Expired()) {
      bool stopped = Stopped(postmaster);
      std::vector<pid_t> children = Children(postmaster);
      for (const pid_t child : children) {
        stopped = Stopped(child) && stopped;
      }
      if (stopped && children == before) {
        return children;
      }
      before = std::move(children);
      std::this_thread::sleep_for(Millis{1});
    }
    return {};
  }

  // Asks it to when it has not.
  static bool Stopped(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const std::size_t name_end = stat.rfind(") ");
    // A dead one waits to be fetched by the frozen postmaster.
    if (name_end != std::string::npos && (stat[name_end + 2] == 'T' || stat[name_end + 2] == 'Z')) {
      return true;
    }
    kill(pid, SIGSTOP);
    return false;
  }

  static std::vector<pid_t> Children(pid_t postmaster) {
    const std::string task = std::to_string(postmaster);
    std::ifstream file("/proc/" + task + "/task/" + task + "/children");
    std::vector<pid_t> all;
    for (pid_t child = 0; file >> child;) {
      all.push_back(child);
    }
    return all;
  }
};

}  // namespace umbranet
