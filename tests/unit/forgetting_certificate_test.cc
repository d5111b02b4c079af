// Goal: a certificate of forgetting can be checked by whoever keeps it. Method: the text against
// the lines that the API promises, the digest against changes of each field.
#include "umbranet/domain/forgetting_certificate.h"

#include <gtest/gtest.h>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

ForgettingCertificate Certificate() {
  return {.user = {"default", "kim"},
          .forgotten_at = FromUnixMillis(1'700'000'000'123),
          .through_sequence = 42,
          .removed = {{"turns", 3}, {"embeddings", 6}}};
}

TEST(ForgettingCertificate, IsTheLinesThatTheApiPromises) {
  EXPECT_EQ(CertificateText(Certificate()),
            "umbranet forgetting certificate 1\n"
            "tenant: default\n"
            "user_id: kim\n"
            "forgotten_at: 2023-11-14T22:13:20.123Z\n"
            "through_sequence: 42\n"
            "removed embeddings: 6\n"
            "removed turns: 3\n");
  EXPECT_EQ(CertificateDigest(Certificate()),
            "sha256:" + Sha256Hex(CertificateText(Certificate())));
}

TEST(ForgettingCertificate, HasAnotherDigestWhenAnyFieldIsAnother) {
  const std::string digest = CertificateDigest(Certificate());
  ForgettingCertificate other = Certificate();
  other.user.user_id = "kit";
  EXPECT_NE(CertificateDigest(other), digest);
  other = Certificate();
  other.user.tenant = "north";
  EXPECT_NE(CertificateDigest(other), digest);
  other = Certificate();
  other.forgotten_at += Millis{1};
  EXPECT_NE(CertificateDigest(other), digest);
  other = Certificate();
  other.through_sequence = 43;
  EXPECT_NE(CertificateDigest(other), digest);
  other = Certificate();
  other.removed["turns"] = 2;
  EXPECT_NE(CertificateDigest(other), digest);
  other = Certificate();
  other.removed.erase("embeddings");
  EXPECT_NE(CertificateDigest(other), digest);
}

}  // namespace
}  // namespace umbranet
