#include "umbranet/app/composition_gauges.h"

#include <cstdint>
#include <string_view>

namespace umbranet {
namespace {

// A counter that somebody else counts, and that only rises.
void CatchUp(Metrics::Counter& counter, std::uint64_t total) {
  const double behind = static_cast<double>(total) - counter.Value();
  if (behind > 0) {
    counter.Increment(behind);
  }
}

void ShowBreaker(Metrics& metrics, std::string_view server, bool open, std::uint64_t times_opened) {
  metrics.server_breaker_open.At(server).Set(open ? 1 : 0);
  CatchUp(metrics.server_breaker_opened_total.At(server), times_opened);
}

void ShowBreaker(Metrics& metrics, std::string_view server, const CircuitBreaker& breaker) {
  ShowBreaker(metrics, server, breaker.IsOpen(), breaker.TimesOpened());
}

void ShowPool(Metrics& metrics, const PostgresPool& pool) {
  const PostgresPool::Counts counts = pool.ReadCounts();
  metrics.postgres_connections.At("in_use").Set(static_cast<double>(counts.in_use));
  metrics.postgres_connections.At("idle").Set(static_cast<double>(counts.idle));
  metrics.postgres_connection_waiters.Set(static_cast<double>(counts.waiting));
  CatchUp(metrics.server_reconnects_total.At("postgres"), counts.reconnects);
  ShowBreaker(metrics, "postgres", pool.breaker());
}

void ShowBroker(Metrics& metrics, const RabbitMqStatus& status) {
  CatchUp(metrics.reflection_published_total, status.published);
  CatchUp(metrics.reflection_publish_total.At("ack"), status.confirmed);
  CatchUp(metrics.reflection_publish_total.At("returned"), status.returned);
  // Those that were returned are among the unknown.
  CatchUp(metrics.reflection_publish_total.At("unknown"),
          status.unknown > status.returned ? status.unknown - status.returned : 0);
  CatchUp(metrics.reflection_publish_total.At("dropped"), status.dropped);
  metrics.reflection_publish_waiting.Set(static_cast<double>(status.waiting));
  CatchUp(metrics.reflection_consumed_total, status.consumed);
  CatchUp(metrics.reflection_consume_total.At("accepted"), status.accepted);
  CatchUp(metrics.reflection_consume_total.At("malformed"), status.malformed);
  CatchUp(metrics.server_reconnects_total.At("rabbitmq"), status.reconnects);
  ShowBreaker(metrics, "rabbitmq", status.breaker_open, status.breaker_opened);
}

}  // namespace

Metrics::ScrapeHook WatchServers(Metrics& metrics, const Backends& backends) {
  return metrics.AddScrapeHook([&metrics, &backends] {
    if (backends.postgres != nullptr) {
      ShowPool(metrics, *backends.postgres);
    }
    if (backends.redis != nullptr) {
      ShowBreaker(metrics, "redis", backends.redis->breaker());
    }
    if (backends.neo4j != nullptr) {
      ShowBreaker(metrics, "neo4j", backends.neo4j->breaker());
    }
    if (backends.rabbitmq != nullptr) {
      ShowBroker(metrics, backends.rabbitmq->ReadStatus());
    }
  });
}

}  // namespace umbranet
