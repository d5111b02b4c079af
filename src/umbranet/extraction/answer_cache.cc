#include "umbranet/extraction/answer_cache.h"

#include <utility>

#include "umbranet/base/unique_id.h"

namespace umbranet {

std::string QuestionKey(const CompletionRequest& request, std::string_view model) {
  std::string whole = request.account.tenant + '\x1f' + std::string(model) + '\x1f' +
                      (request.answer_schema ? request.answer_schema->schema : std::string());
  for (const ChatMessage& message : request.messages) {
    whole += '\x1f' + message.content;
  }
  return Sha256Hex(whole);
}

std::optional<std::string> AnswerCache::Find(const std::string& key) {
  MutexLock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->answer;
}

void AnswerCache::Keep(const std::string& key, std::string answer) {
  const std::size_t size = key.size() + answer.size();
  MutexLock lock(mutex_);
  if (size > options_.bytes_max || options_.entries_max == 0 || by_key_.count(key) != 0) {
    return;
  }
  entries_.push_front({key, std::move(answer)});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += size;
  while (bytes_ > options_.bytes_max || entries_.size() > options_.entries_max) {
    const Entry& last = entries_.back();
    bytes_ -= last.key.size() + last.answer.size();
    by_key_.erase(last.key);
    entries_.pop_back();
  }
}

std::size_t AnswerCache::Clear() {
  MutexLock lock(mutex_);
  const std::size_t dropped = entries_.size();
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
  return dropped;
}

}  // namespace umbranet
