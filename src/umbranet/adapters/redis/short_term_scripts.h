// The scripts of the short-term memory: each is one step of the server and one round trip.
//
// KEYS of all but EraseUserScript: 1 the session's turns, 2 what is known about them, 3 the user's
// sessions, 4 when the user was forgotten (redis_keys.h). A session's turns are a sorted set,
// scored by sequence, of stored_turn.h. The hash about them has these fields:
//   verified  every turn of the session up to this sequence that belongs here is here
//   count     how many turns there are; another number means that some were lost
//   version   counts changes, so that what was worked out from an older state is not written
//   summary, through  the rolling summary and the sequence up to which it reaches
#pragma once

#include "umbranet/adapters/redis/redis_script.h"

namespace umbranet {

// ARGV: token budget. Returns {head, turns newest first}; head is {whole, cut, stored, verified,
// version, erased at, through, summary}: whole = 1 when the turns are all there, cut = 1 when older
// ones were left out for the budget.
const RedisScript& ReadScript();

// ARGV: expiry ms, session name, sequence, turn, accepted at, turns kept at most. Keeps a turn of a
// session that somebody reads, unless the user was forgotten since the turn was accepted.
const RedisScript& AppendScript();

// ARGV: expiry ms, session name, version seen, erased at seen, keep the summary (1 or 0), verified,
// then sequence and turn, in turns. Replaces the session's turns unless somebody was quicker.
const RedisScript& RebuildScript();

// ARGV: version seen, verified.
const RedisScript& VerifiedScript();

// ARGV: expiry ms, session name, erased at seen, through, summary.
const RedisScript& SaveSummaryScript();

// KEYS: 1 the user's sessions, 2 when the user was forgotten. ARGV: now, expiry ms, what the names
// of the session's keys begin with. Returns how many summaries there were.
const RedisScript& EraseUserScript();

}  // namespace umbranet
