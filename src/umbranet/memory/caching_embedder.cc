#include "umbranet/memory/caching_embedder.h"

namespace umbranet {

Result<Embedding> CachingEmbedder::EmbedQuestion(std::string_view question, Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (const auto found = index_.find(question); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().second;
    }
  }
  // Two threads may ask the same at once; the second answer is then dropped.
  UMBRANET_ASSIGN_OR_RETURN(Embedding vector, inner_.EmbedQuestion(question, deadline));
  if (question.size() > options_.question_bytes_max || options_.entries_max == 0) {
    return vector;
  }
  MutexLock lock(mutex_);
  if (!index_.contains(question)) {
    entries_.emplace_front(question, vector);
    index_.emplace(entries_.front().first, entries_.begin());
    if (entries_.size() > options_.entries_max) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
  }
  return vector;
}

std::size_t CachingEmbedder::Clear() {
  MutexLock lock(mutex_);
  const std::size_t dropped = entries_.size();
  index_.clear();
  entries_.clear();
  return dropped;
}

}  // namespace umbranet
