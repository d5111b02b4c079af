// The planner's knowledge of tables that have grown since it was gathered.
//
// Autovacuum looks once a minute. Until then the tables of a new installation count as empty, and
// every session keeps the plans that it made for empty tables: a claim then reads every ready job
// there is, since the smallest index looks as good as the right one. With a few thousand jobs
// waiting that is most of what the server does.
#pragma once

#include "umbranet/adapters/postgres/postgres_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"

namespace umbranet {

// Analyses those of this schema's tables that have grown several times over, or where as much was
// changed, since they were analysed; sessions plan anew of themselves. Costs a millisecond where
// there is nothing to do. Tables that are large, belong to another role, or are being worked on are
// left alone.
Status AnalyseGrownTables(PostgresPool& pool, Deadline deadline);

}  // namespace umbranet
