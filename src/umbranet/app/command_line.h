// The command line: what `umbranet --help` shows.
#pragma once

namespace umbranet {

// Parses, loads the settings, runs the command. Returns the exit code (exit_code.h).
int RunCommandLine(int argc, char** argv);

}  // namespace umbranet
