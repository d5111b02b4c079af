#include "umbranet/domain/memory_difference.h"

#include <map>
#include <string_view>
#include <utility>

namespace umbranet {
namespace {

// Whether it gave way is compared, not to which: ids follow from the words of what came after.
bool SaysTheSame(const MemoryItem& a, const MemoryItem& b) {
  return a.text == b.text && a.valid_from == b.valid_from && a.valid_to == b.valid_to &&
         a.superseded_by.has_value() == b.superseded_by.has_value();
}

}  // namespace

MemoryDifference CompareMemories(const std::vector<MemoryItem>& before,
                                 const std::vector<MemoryItem>& after, std::size_t items_max) {
  std::map<std::string_view, const MemoryItem*> by_id;
  for (const MemoryItem& item : after) {
    by_id.emplace(item.memory_id, &item);
  }
  MemoryDifference difference;
  difference.before = before.size();
  difference.after = after.size();
  const auto pair = [&](const MemoryItem& old, const MemoryItem& now) {
    if (SaysTheSame(old, now)) {
      ++difference.same;
      return;
    }
    ++difference.changed;
    if (difference.changed_items.size() < items_max) {
      difference.changed_items.push_back({old, now});
    }
  };
  std::vector<const MemoryItem*> left;
  for (const MemoryItem& item : before) {
    const auto found = by_id.find(item.memory_id);
    if (found == by_id.end()) {
      left.push_back(&item);
    } else {
      pair(item, *found->second);
      by_id.erase(found);
    }
  }
  // What nobody claimed by its id.
  std::multimap<std::pair<std::string_view, Timestamp>, const MemoryItem*> by_words;
  for (const MemoryItem& item : after) {
    if (by_id.contains(item.memory_id)) {
      by_words.emplace(std::pair(std::string_view(item.text), item.occurred_at), &item);
    }
  }
  for (const MemoryItem* item : left) {
    const auto found = by_words.find({item->text, item->occurred_at});
    if (found != by_words.end()) {
      pair(*item, *found->second);
      by_id.erase(found->second->memory_id);
      by_words.erase(found);
      continue;
    }
    ++difference.gone;
    if (difference.gone_items.size() < items_max) {
      difference.gone_items.push_back(*item);
    }
  }
  for (const MemoryItem& item : after) {
    if (!by_id.contains(item.memory_id)) {
      continue;
    }
    ++difference.added;
    if (difference.added_items.size() < items_max) {
      difference.added_items.push_back(item);
    }
  }
  return difference;
}

}  // namespace umbranet
