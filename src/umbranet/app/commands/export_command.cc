#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) {
      std::fclose(file);
    }
  }
};

}  // namespace

int RunExport(const CommandContext& context, const ExportOptions& options) {
  auto client = context.Connect(false);
  if (!client.ok()) {
    return Complain(client.error());
  }
  // Written beside its name first, so that an export that breaks off is never taken for a whole
  // one.
  const std::string part = options.output + ".part";
  const std::unique_ptr<std::FILE, CloseFile> file(
      options.output.empty() ? stdout : std::fopen(part.c_str(), "wb"));
  if (file == nullptr) {
    return Complain(Unavailable("export: " + part + " cannot be written"));
  }
  bool written = true;
  const Status streamed = (*client)->Stream(
      "GET", "/v1/users/" + PathSegment(options.user) + "/export", std::nullopt,
      [&](std::string_view piece) {
        written = std::fwrite(piece.data(), 1, piece.size(), file.get()) == piece.size();
        return written;
      },
      context.Within(Millis{3'600'000}));
  written = std::fflush(file.get()) == 0 && written;
  if (!streamed.ok() || !written) {
    if (!options.output.empty()) {
      std::remove(part.c_str());
    }
    return Complain(written
                        ? streamed.error()
                        : Error{ErrorCode::kStorageFull, "export: the output cannot be written"});
  }
  if (!options.output.empty()) {
    std::error_code error;
    std::filesystem::rename(part, options.output, error);
    if (error) {
      return Complain(Unavailable("export: " + options.output + ": " + error.message()));
    }
  }
  return kExitOk;
}

}  // namespace umbranet
