// The processes of the PostgreSQL server that scripts/services started in this tree, to be frozen
// and killed. Whoever does so starts it again. One thread.
#pragma once

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/types.h>

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

  static void Signal(int signal) {
    const pid_t postmaster = Pid();
    ASSERT_GT(postmaster, 0);
    std::ifstream children("/proc/" + std::to_string(postmaster) + "/task/" +
                           std::to_string(postmaster) + "/children");
    std::vector<pid_t> all;
    for (pid_t child = 0; children >> child;) {
      all.push_back(child);
    }
    all.push_back(postmaster);
    for (const pid_t pid : all) {
      kill(pid, signal);
    }
  }

  static bool StartAgain() {
    return std::system(UMBRANET_SOURCE_DIR "/scripts/services up postgres > /dev/null 2>&1") == 0;
  }
};

}  // namespace umbranet
