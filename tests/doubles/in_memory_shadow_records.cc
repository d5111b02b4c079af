#include "tests/doubles/in_memory_shadow_records.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace umbranet {

Status InMemoryShadowRecords::Save(const ShadowRun& run, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const InMemoryLedgerStore::Job* job = store_.FindJob(run.job_id);
  if (job == nullptr || job->status.job.user != run.user) {
    return {};
  }
  std::vector<ShadowRun>& runs = store_.shadow_runs;
  std::erase_if(runs, [&run](const ShadowRun& other) { return other.job_id == run.job_id; });
  runs.push_back(run);
  if (runs.size() > kShadowRunsMax) {
    runs.erase(runs.begin());
  }
  return {};
}

Result<ShadowSummary> InMemoryShadowRecords::Summarize(const std::string& candidate,
                                                       Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::vector<ShadowRun> runs;
  std::copy_if(store_.shadow_runs.begin(), store_.shadow_runs.end(), std::back_inserter(runs),
               [&](const ShadowRun& run) { return run.candidate == candidate; });
  return SummarizeRuns(runs);
}

Result<std::uint64_t> InMemoryShadowRecords::Clear(Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::size_t cleared = store_.shadow_runs.size();
  store_.shadow_runs.clear();
  return std::uint64_t{cleared};
}

}  // namespace umbranet
