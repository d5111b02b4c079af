// The domain's values in the form that the API shows them. Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "umbranet/domain/fact.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/governor/governor.h"
#include "umbranet/http/json_writer.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/user_profile.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/telemetry/model_usage.h"

namespace umbranet {

void WriteItem(JsonWriter& json, const MemoryItem& item);
void WriteItems(JsonWriter& json, const std::vector<MemoryItem>& items);
// Each that is in `consolidated_in` with the id of the consolidated episode it belongs to.
void WriteListedItems(JsonWriter& json, const std::vector<MemoryItem>& items,
                      const std::map<std::string, std::string>& consolidated_in);

// The members of an object that is open.
void WriteFreshness(JsonWriter& json, const Freshness& freshness);
void WriteUsage(JsonWriter& json, const ModelUsage::Report& report);
// {job_id, interaction_id, user_id, status, attempts, tiers, ...}; with the history of failures
// when asked for.
void WriteReflection(JsonWriter& json, const JobStatus& status, bool with_history);
void WriteEntry(JsonWriter& json, const JournalEntry& entry);
void WriteGraph(JsonWriter& json, const KnowledgeGraph& graph);
void WriteProfile(JsonWriter& json, const UserKey& user, const UserProfile& profile);
void WriteMerges(JsonWriter& json, const std::vector<EntityMerge>& merges);

std::string RenderChatAnswer(const ChatAnswer& answer);
std::string RenderRecall(const RecalledContext& recalled);

}  // namespace umbranet
