// What was removed when a user was forgotten, in a form that can be kept and checked.
//
// The digest is the SHA-256 of CertificateText, which anybody can write down from the certificate's
// fields: it tells whether they are still those that were given. That the server stands by it shows
// in the tombstone (Freshness::forgotten_at). Pure functions; they may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

struct ForgettingCertificate {
  UserKey user;
  Timestamp forgotten_at{};           // The tombstone: nothing that was accepted before comes back.
  std::int64_t through_sequence = 0;  // The same, as a place in the journal.
  // How many of each kind ("turns", "dead_letters", "embeddings", ...) there were; none is left.
  std::map<std::string, std::uint64_t> removed;
};

// One field a line: "umbranet forgetting certificate 1", "tenant: T", "user_id: U",
// "forgotten_at: TIME", "through_sequence: N", and "removed KIND: N" for each kind by its name.
std::string CertificateText(const ForgettingCertificate& certificate);

// "sha256:" and 64 hexadecimal digits.
std::string CertificateDigest(const ForgettingCertificate& certificate);

}  // namespace umbranet
