// What a language model answered, by what it was asked: the same question costs nothing the second
// time. Bounded in entries and bytes; what was not asked for longest goes first.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "umbranet/base/mutex.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// What a question is remembered by. Of one tenant: what one was answered is nobody else's business.
std::string QuestionKey(const CompletionRequest& request, std::string_view model);

class AnswerCache {
 public:
  struct Options {
    std::size_t entries_max = 512;
    std::size_t bytes_max = std::size_t{8} << 20U;
  };

  explicit AnswerCache(Options options) : options_(options) {}

  [[nodiscard]] std::optional<std::string> Find(const std::string& key);
  // An answer that is larger than everything that may be kept is not.
  void Keep(const std::string& key, std::string answer);
  // Drops all of them. How many.
  std::size_t Clear();

 private:
  struct Entry {
    std::string key;
    std::string answer;
  };

  const Options options_;
  Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);  // Most recently asked for first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace umbranet
