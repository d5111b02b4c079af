// The whole API over stores in memory: every route as the server would call it, without a network.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/ledger_clock.h"
#include "umbranet/http/api.h"

#include "tests/doubles/in_memory_job_ledger.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"
#include "tests/doubles/recording_writer.h"
#include "tests/doubles/scripted_language_model.h"

namespace umbranet {

struct ApiAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::map<std::string, std::string> headers;
  bool whole = false;

  // The body as JSON; null when it is none.
  [[nodiscard]] boost::json::value Json() const;
  // "code" of a problem document.
  [[nodiscard]] std::string Code() const;
};

// A JSON string as text; an exception when it is none.
std::string TextOf(const boost::json::value& value);

class ApiTest : public ::testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;

  // Makes the router; to be called again when a test has changed what it is made of.
  void Build();

  ApiAnswer Call(std::string_view method, std::string_view target, std::string_view body = {},
                 std::vector<HeaderField> headers = {});
  ApiAnswer Call(RecordingWriter& writer, std::string_view method, std::string_view target,
                 std::string_view body, std::vector<HeaderField> headers = {});

  // Stores one turn and returns {interaction_id, job_id}.
  std::pair<std::string, std::string> Remember(std::string_view user_id, std::string_view message,
                                               std::vector<HeaderField> headers = {});
  // Claims the next batch and lets all of it fail for good.
  void KillNextJob(std::string_view error);

  [[nodiscard]] std::uint64_t Accepted(std::string_view tenant, std::string_view user_id);

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal journal_{store_};
  InMemoryJobLedger ledger_{store_};
  ::testing::NiceMock<MockDoorbell> doorbell_;
  ::testing::NiceMock<MockShortTermMemory> short_term_;
  ::testing::NiceMock<MockEpisodicMemory> episodic_;
  ::testing::NiceMock<MockSemanticMemory> semantic_;
  ::testing::NiceMock<MockProceduralMemory> procedural_;
  BoundedWorkerPool pool_{{.name = "recall", .threads_max = 8}};
  LedgerClock ledger_clock_{clock_};
  MemoryManager memory_;
  ScriptedLanguageModel model_;
  Governor governor_;
  std::vector<std::string> log_lines_;
  StructuredLog log_;
  Metrics metrics_{{"test", "test"}};
  std::vector<ApiKey> keys_;
  std::vector<DependencyProbe> probes_;
  WaitingCap::Options cap_options_;
  const ModelUsage* usage_ = nullptr;
  std::unique_ptr<WaitingCap> waiting_cap_;
  std::optional<Authenticator> authenticator_;
  std::optional<Router> router_;
};

}  // namespace umbranet
