#include "umbranet/reflection/episode_embedder.h"

#include <array>
#include <string_view>
#include <utility>

#include "umbranet/base/thread_urgency.h"
#include "umbranet/domain/episode_document.h"

namespace umbranet {

EpisodeEmbedder::EpisodeEmbedder(const Clock& clock, Embedder& embedder, EpisodicMemory& memory,
                                 Metrics& metrics, StructuredLog& log, Options options)
    : clock_(clock),
      embedder_(embedder),
      memory_(memory),
      metrics_(metrics),
      log_(log),
      options_(options) {}

EpisodeEmbedder::~EpisodeEmbedder() {
  Stop();
}

void EpisodeEmbedder::Start() {
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
  }
}

void EpisodeEmbedder::Stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

Result<std::vector<EpisodeVector>> EpisodeEmbedder::Embed(std::vector<UnembeddedEpisode> episodes,
                                                          Deadline deadline) {
  std::vector<std::string_view> texts;
  texts.reserve(episodes.size());
  for (const UnembeddedEpisode& episode : episodes) {
    texts.push_back(episode.text);
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Embedding> embeddings,
                            embedder_.EmbedPassages(texts, deadline));
  if (embeddings.size() != episodes.size()) {
    return Internal("embedder: it answered with another number of vectors than texts");
  }
  std::vector<EpisodeVector> vectors;
  vectors.reserve(episodes.size());
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    vectors.push_back({std::move(episodes[i].memory_id), std::move(embeddings[i])});
  }
  metrics_.embedded_episodes_total.Increment(static_cast<double>(vectors.size()));
  return vectors;
}

std::vector<EpisodeVector> EpisodeEmbedder::EmbedPlans(std::span<const ReflectionPlan> plans,
                                                       Deadline deadline) {
  std::vector<UnembeddedEpisode> episodes;
  for (const ReflectionPlan& plan : plans) {
    std::array<std::uint32_t, 2> ordinals{};
    for (const PlannedEpisode& planned : plan.episodes) {
      const std::uint32_t ordinal = ordinals.at(static_cast<std::size_t>(planned.role))++;
      episodes.push_back({MakeEpisodeId(plan.user, plan.interaction_id, planned.role, ordinal),
                          EmbeddedText(planned.text, planned.speaker)});
    }
  }
  if (episodes.empty()) {
    return {};
  }
  if (away_) {
    LookSoon();
    return {};
  }
  Result<std::vector<EpisodeVector>> vectors = Embed(std::move(episodes), deadline);
  if (!vectors.ok()) {
    away_ = true;
    metrics_.embedding_failures_total.Increment();
    log_.Warning("embedding_failed", {{"error", vectors.error().message}});
    LookSoon();
    return {};
  }
  return std::move(vectors).value();
}

void EpisodeEmbedder::Save(std::span<const EpisodeVector> vectors, Deadline deadline) {
  if (vectors.empty()) {
    return;
  }
  const Status saved = memory_.SaveVectors(embedder_.space(), vectors, deadline);
  if (!saved.ok()) {
    metrics_.embedding_failures_total.Increment();
    log_.Warning("vectors_not_saved", {{"error", saved.error().message}});
    LookSoon();
  }
}

Result<std::size_t> EpisodeEmbedder::EmbedBacklog(std::stop_token stop) {
  std::size_t embedded = 0;
  std::string cursor;
  do {
    const Deadline until = Deadline::After(clock_, options_.page_budget);
    UMBRANET_ASSIGN_OR_RETURN(
        UnembeddedPage page,
        memory_.Unembedded(embedder_.space(), cursor, options_.page_episodes, until));
    if (!page.episodes.empty()) {
      UMBRANET_ASSIGN_OR_RETURN(const std::vector<EpisodeVector> vectors,
                                Embed(std::move(page.episodes), until));
      UMBRANET_RETURN_IF_ERROR(memory_.SaveVectors(embedder_.space(), vectors, until));
      embedded += vectors.size();
    }
    cursor = std::move(page.next_cursor);
  } while (!cursor.empty() && !stop.stop_requested());
  return embedded;
}

void EpisodeEmbedder::LookSoon() {
  const MutexLock lock(mutex_);
  look_ = true;
  changed_.NotifyAll();
}

void EpisodeEmbedder::Run(std::stop_token stop) {
  WorkBehindAnswers(options_.nice);
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(mutex_);
      look_ = false;
    }
    const Result<std::size_t> embedded = EmbedBacklog(stop);
    away_ = !embedded.ok();
    if (!embedded.ok()) {
      metrics_.embedding_failures_total.Increment();
      log_.Warning("embedding_backlog_failed", {{"error", embedded.error().message}});
    } else if (*embedded > 0) {
      log_.Info("embedding_backlog_done", {{"episodes", std::uint64_t{*embedded}}});
    }
    const MutexLock lock(mutex_);
    if (!embedded.ok()) {
      // Whatever is wrong with it, asking again at once will not help.
      changed_.WaitFor(mutex_, stop, options_.pause_after_failure);
    } else if (!look_) {
      changed_.WaitFor(mutex_, stop, options_.look_again);
    }
  }
}

}  // namespace umbranet
