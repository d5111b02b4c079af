#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace umbranet {

// One file of the repository. `path` is relative to its root, with forward slashes.
struct SourceFile {
  std::string path;
  std::string text;
};

// The rules of the house that no compiler holds, checked on one C++ file without looking at any
// other. Each violation is a line "path:line: what is wrong and what to do", in the order of the
// file. Nothing is returned for a file that is fine.
//
// Which layer may include which is a table in source_rules.cc; CMakeLists.txt links the layers by
// the same table.
std::vector<std::string> ViolationsIn(const SourceFile& file);

// All C++ files under src, tests, benchmarks and cmake in `root`, by path.
std::vector<SourceFile> ReadSources(std::string_view root);

}  // namespace umbranet
