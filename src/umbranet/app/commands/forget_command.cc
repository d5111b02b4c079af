#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include <boost/json/parse.hpp>
#include <unistd.h>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"
#include "umbranet/domain/forgetting_certificate.h"

namespace umbranet {
namespace {

namespace json = boost::json;

// True when the person at the terminal types the user's name; a script must say --yes.
bool Confirmed(const std::string& user) {
  if (isatty(STDIN_FILENO) == 0) {
    std::cerr << "umbranet: forgetting cannot be undone; add --yes\n";
    return false;
  }
  std::cerr << "This removes everything held on \"" << Printable(user)
            << "\" and cannot be undone.\nType the user's name to go on: " << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  if (typed != user) {
    std::cerr << "umbranet: nothing was removed\n";
    return false;
  }
  return true;
}

constexpr std::size_t kCertificateBytesMax = 64'000;

// As it was printed with --json, alone or in the answer that it came with.
struct GivenCertificate {
  ForgettingCertificate certificate;
  std::string digest;
};

Result<GivenCertificate> ReadCertificate(const json::object& answer) {
  const json::value* inner = answer.if_contains("certificate");
  const json::object& given = inner != nullptr && inner->is_object() ? inner->get_object() : answer;
  GivenCertificate read;
  read.certificate.user = {TextOf(given, "tenant"), TextOf(given, "user_id")};
  read.certificate.through_sequence = NumberOf(given, "through_sequence");
  read.digest = TextOf(given, "digest");
  const std::optional<Timestamp> at = ParseTimestamp(TextOf(given, "forgotten_at"));
  const json::value* removed = given.if_contains("removed");
  if (!at || read.digest.empty() || removed == nullptr || !removed->is_object()) {
    return InvalidArgument("forget: this is no certificate of forgetting");
  }
  read.certificate.forgotten_at = *at;
  for (const auto& [kind, count] : removed->get_object()) {
    read.certificate.removed[std::string(kind)] = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, NumberOf(removed->get_object(), kind)));
  }
  return read;
}

Result<GivenCertificate> ReadCertificateFile(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file) {
      return InvalidArgument("forget: " + name + " cannot be read");
    }
  }
  std::istream& in = name == "-" ? std::cin : file;
  std::string text(kCertificateBytesMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) {
    return InvalidArgument("forget: this is no certificate of forgetting");
  }
  return ReadCertificate(parsed.get_object());
}

int CheckCertificate(const CommandContext& context, const std::string& name) {
  const auto given = ReadCertificateFile(name);
  if (!given.ok()) {
    return Complain(given.error());
  }
  const ForgettingCertificate& certificate = given->certificate;
  if (CertificateDigest(certificate) != given->digest) {
    std::cerr << "umbranet: the digest is not that of this certificate: it was changed\n";
    return kExitFailed;
  }
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const auto answer =
      (*client)->Call("GET", "/v1/users/" + PathSegment(certificate.user.user_id) + "/freshness",
                      std::nullopt, context.Within(Millis{15'000}));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  const std::optional<Timestamp> tombstone = ParseTimestamp(TextOf(*answer, "forgotten_at"));
  if (!tombstone || *tombstone < certificate.forgotten_at) {
    std::cerr << "umbranet: the certificate is whole, but " << (*client)->Where()
              << " has no tombstone of it\n";
    return kExitFailed;
  }
  const std::int64_t since = NumberOf(*answer, "accepted");
  if (context.json) {
    PrintJson({{"valid", true},
               {"user_id", certificate.user.user_id},
               {"forgotten_at", FormatTimestamp(*tombstone)},
               {"turns_since", since}});
  } else {
    Print("valid: \"" + Printable(certificate.user.user_id) + "\" was forgotten at " +
          FormatTimestamp(*tombstone) + "; turns since: " + std::to_string(since) + "\n");
  }
  return kExitOk;
}

// The lines that the digest is of, and the digest.
int PrintCertificate(const CommandContext& context, const json::object& answer) {
  const auto given = ReadCertificate(answer);
  if (!given.ok()) {
    return Complain(given.error());
  }
  if (context.json) {
    PrintJson(answer.at("certificate").as_object());
  } else {
    Print(Printable(CertificateText(given->certificate)) + "digest: " + given->digest + "\n");
  }
  return kExitOk;
}

}  // namespace

int RunForget(const CommandContext& context, const ForgetOptions& options) {
  if (!options.check.empty()) {
    return CheckCertificate(context, options.check);
  }
  if (options.user.empty() == options.memory_id.empty()) {
    return Complain(InvalidArgument("forget: name either --user or --memory"));
  }
  if (!options.user.empty() && !options.yes && !Confirmed(options.user)) {
    return kExitUsage;
  }
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  const std::string path = options.user.empty() ? "/v1/memories/" + PathSegment(options.memory_id)
                                                : "/v1/users/" + PathSegment(options.user);
  const auto answer =
      (*client)->Call("DELETE", path, std::nullopt, context.Within(Millis{300'000}));
  if (!answer.ok()) {
    return Complain(answer.error());
  }
  if (options.certificate && options.memory_id.empty()) {
    return PrintCertificate(context, *answer);
  }
  if (context.json) {
    PrintJson(*answer);
  } else if (!options.memory_id.empty()) {
    Print("forgotten\n");
  } else {
    Print("forgotten: " + std::to_string(NumberOf(*answer, "queued_jobs_cancelled")) +
          " waiting jobs cancelled\n");
    if (const auto* deleted = answer->if_contains("deleted"); deleted && deleted->is_object()) {
      for (const auto& [tier, count] : deleted->get_object()) {
        Print("  " + std::string(tier) + ": " +
              std::to_string(NumberOf(deleted->get_object(), tier)) + "\n");
      }
    }
  }
  return kExitOk;
}

}  // namespace umbranet
