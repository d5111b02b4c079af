#include "umbranet/domain/forgetting_certificate.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {

std::string CertificateText(const ForgettingCertificate& certificate) {
  std::string text = "umbranet forgetting certificate 1\n";
  // Neither holds a control character, so no field can pass for another.
  text += "tenant: " + certificate.user.tenant + "\n";
  text += "user_id: " + certificate.user.user_id + "\n";
  text += "forgotten_at: " + FormatTimestamp(certificate.forgotten_at) + "\n";
  text += "through_sequence: " + std::to_string(certificate.through_sequence) + "\n";
  for (const auto& [kind, count] : certificate.removed) {
    text += "removed " + kind + ": " + std::to_string(count) + "\n";
  }
  return text;
}

std::string CertificateDigest(const ForgettingCertificate& certificate) {
  return "sha256:" + Sha256Hex(CertificateText(certificate));
}

}  // namespace umbranet
