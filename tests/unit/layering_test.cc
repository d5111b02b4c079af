// Goal: the rules of the house that no compiler holds are kept by every C++ file of the repository:
// who may include whom, the size of files and lines, names, and what is never written here. Method:
// read the sources as text. Each rule is first shown to catch a file that breaks it, and only it.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/source_rules.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Check(std::string path, std::string text) {
  return ViolationsIn({std::move(path), std::move(text)});
}

std::vector<std::string> CheckInclude(std::string path, const std::string& included) {
  return Check(std::move(path), "#include \"umbranet/" + included + "\"\n");
}

TEST(TheSources, KeepTheRulesOfTheHouse) {
  const std::vector<SourceFile> files = ReadSources(UMBRANET_SOURCE_DIR);
  ASSERT_TRUE(std::any_of(
      files.begin(), files.end(),
      [](const SourceFile& file) { return file.path == "tests/unit/layering_test.cc"; }))
      << "the sources were not found in " << UMBRANET_SOURCE_DIR;
  std::vector<std::string> violations;
  for (const SourceFile& file : files) {
    for (std::string& violation : ViolationsIn(file)) {
      violations.push_back(std::move(violation));
    }
  }
  EXPECT_THAT(violations, IsEmpty());
}

TEST(Layering, AllowsWhatPointsDownwards) {
  EXPECT_THAT(CheckInclude("src/umbranet/domain/fact.cc", "base/result.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/memory/ranking.cc", "ports/journal.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/memory/ranking.cc", "memory/ranking.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/http/server.cc", "config/settings.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/adapters/sqlite/a.cc", "adapters/sqlite/b.h"), IsEmpty());
}

TEST(Layering, ForbidsWhatPointsUpwards) {
  EXPECT_THAT(CheckInclude("src/umbranet/base/result.h", "domain/fact.h"),
              ElementsAre("src/umbranet/base/result.h:1: base may not include domain",
                          HasSubstr("#pragma once")));
  EXPECT_THAT(CheckInclude("src/umbranet/ports/journal.cc", "memory/ranking.h"),
              ElementsAre(EndsWith("ports may not include memory")));
  EXPECT_THAT(CheckInclude("src/umbranet/domain/fact.cc", "ports/journal.h"),
              ElementsAre(EndsWith("domain may not include ports")));
}

TEST(Layering, KeepsMemoryAndReflectionApart) {
  EXPECT_THAT(CheckInclude("src/umbranet/memory/a.cc", "reflection/memory_reflector.h"),
              ElementsAre(EndsWith("memory may not include reflection")));
  EXPECT_THAT(CheckInclude("src/umbranet/reflection/a.cc", "memory/memory_manager.h"),
              ElementsAre(EndsWith("reflection may not include memory")));
}

TEST(Layering, LetsAnAdapterSeePortsButNoOtherAdapter) {
  EXPECT_THAT(CheckInclude("src/umbranet/adapters/sqlite/a.cc", "ports/journal.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/adapters/sqlite/a.cc", "search/episode_cache.h"),
              IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/adapters/sqlite/a.cc", "adapters/openai/b.h"),
              ElementsAre(HasSubstr("an adapter knows no other adapter")));
  EXPECT_THAT(CheckInclude("src/umbranet/adapters/sqlite/a.cc", "memory/ranking.h"),
              ElementsAre(EndsWith("adapters may not include memory")));
}

TEST(Layering, LetsOnlyTheCompositionNameAnAdapter) {
  EXPECT_THAT(CheckInclude("src/umbranet/app/composition.cc", "adapters/sqlite/a.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("src/umbranet/app/main.cc", "adapters/sqlite/a.h"),
              ElementsAre(HasSubstr("only app/composition knows adapters")));
  EXPECT_THAT(CheckInclude("src/umbranet/http/server.cc", "adapters/sqlite/a.h"),
              ElementsAre(EndsWith("http may not include adapters")));
}

TEST(Layering, LetsADoubleSeeThePortsItDoubles) {
  EXPECT_THAT(CheckInclude("tests/doubles/a.cc", "ports/journal.h"), IsEmpty());
  EXPECT_THAT(CheckInclude("tests/doubles/a.cc", "adapters/sqlite/a.h"),
              ElementsAre(HasSubstr("a double stands in")));
}

TEST(Layering, KnowsEveryFolder) {
  EXPECT_THAT(Check("src/umbranet/cleverness/a.cc", ""), ElementsAre(HasSubstr("is no layer")));
}

TEST(Layering, WantsOneSpellingOfAnInclude) {
  EXPECT_THAT(Check("src/umbranet/base/a.cc", "#include \"clock.h\"\n"),
              ElementsAre(HasSubstr("begin with umbranet/")));
  EXPECT_THAT(Check("src/umbranet/base/a.cc", "#  include \"../base/clock.h\"\n"),
              ElementsAre(HasSubstr("begin with umbranet/")));
}

TEST(Layering, KeepsALibraryWhereItIsAdapted) {
  EXPECT_THAT(Check("src/umbranet/adapters/sqlite/a.cc", "#include <sqlite3.h>\n"), IsEmpty());
  EXPECT_THAT(Check("src/umbranet/memory/a.cc", "#include <sqlite3.h>\n"),
              ElementsAre(HasSubstr("<sqlite3.h> stays within adapters/sqlite/")));
  EXPECT_THAT(Check("src/umbranet/governor/a.cc", "#include <boost/asio/ip/tcp.hpp>\n"),
              ElementsAre(HasSubstr("stays within http/")));
  EXPECT_THAT(Check("src/umbranet/memory/a.cc", "#include <boost/json/value.hpp>\n"), IsEmpty());
}

TEST(SizeRules, LimitTheLinesOfAFile) {
  std::string text(600, '\n');
  EXPECT_THAT(Check("src/umbranet/base/a.cc", text), IsEmpty());
  text += '\n';
  EXPECT_THAT(Check("src/umbranet/base/a.cc", text), ElementsAre(HasSubstr("more than 600 lines")));
}

TEST(SizeRules, LimitTheColumnsOfALineAndCountLettersNotBytes) {
  EXPECT_THAT(Check("tests/unit/a.cc", std::string(100, 'x') + "\n"), IsEmpty());
  EXPECT_THAT(Check("tests/unit/a.cc", "\n" + std::string(101, 'x') + "\n"),
              ElementsAre("tests/unit/a.cc:2: longer than 100 columns"));
  std::string accented;
  for (int i = 0; i < 100; ++i) {
    accented += "\xC3\xA9";
  }
  EXPECT_THAT(Check("tests/unit/a.cc", accented + "\n"), IsEmpty());
}

TEST(NameRules, RefuseNamesThatSayNothing) {
  const std::string stem = "src/umbranet/base/";
  EXPECT_THAT(Check(stem + "string_util"
                           ".cc",
                    ""),
              ElementsAre(HasSubstr("says nothing")));
  EXPECT_THAT(Check(stem + "helpers"
                           "/a.cc",
                    ""),
              ElementsAre(HasSubstr("says nothing")));
  EXPECT_THAT(Check(stem + "common"
                           ".cc",
                    ""),
              ElementsAre(HasSubstr("says nothing")));
  EXPECT_THAT(Check(stem + "utility_function.cc", ""), IsEmpty());
}

TEST(TextRules, RefuseWorkLeftUndone) {
  EXPECT_THAT(Check("src/umbranet/base/a.cc",
                    "// TO"
                    "DO: more\n"),
              ElementsAre(HasSubstr(":1:")));
  EXPECT_THAT(Check("tests/unit/a.cc",
                    "// fine for "
                    "now\n"),
              ElementsAre(HasSubstr("real")));
  EXPECT_THAT(Check("src/umbranet/base/a.cc",
                    "Say(\"I live here for "
                    "now\");\n"),
              IsEmpty());
}

TEST(TextRules, RefuseThePathsOfOneMachine) {
  EXPECT_THAT(Check("tests/unit/a.cc",
                    "Open(\"/ho"
                    "me/ana/x\");\n"),
              ElementsAre(HasSubstr("no path of one machine")));
  EXPECT_THAT(Check("tests/unit/a.cc", "Get(\"/v1/memories/x\");\n"), IsEmpty());
}

TEST(ThreadRules, RefuseThreadsThatNobodyJoinsAndWaitsThatNobodyEnds) {
  const std::string path = "src/umbranet/memory/a.cc";
  EXPECT_THAT(Check(path,
                    "std::thr"
                    "ead t(f);\n"),
              ElementsAre(HasSubstr("std::jthread")));
  EXPECT_THAT(Check(path, "std::jthread t(f);\n"), IsEmpty());
  EXPECT_THAT(Check(path,
                    "std::this_thread::sleep_"
                    "for(1s);\n"),
              ElementsAre(HasSubstr("Deadline")));
  EXPECT_THAT(Check("tests/contract/a.cc",
                    "std::this_thread::sleep_"
                    "for(1s);\n"),
              ElementsAre(HasSubstr("manual clock")));
  EXPECT_THAT(Check(path,
                    "std::mut"
                    "ex m;\n"),
              ElementsAre(HasSubstr("annotated Mutex")));
  EXPECT_THAT(Check(path,
                    "co_aw"
                    "ait x;\n"),
              ElementsAre(HasSubstr("no coroutines")));
}

TEST(ThreadRules, LeaveTheTimeToTheClock) {
  const std::string line =
      "auto t = std::chrono::steady_clock::n"
      "ow();\n";
  EXPECT_THAT(Check("src/umbranet/memory/a.cc", line), ElementsAre(HasSubstr("ask the Clock")));
  EXPECT_THAT(Check("src/umbranet/base/clock.cc", line), IsEmpty());
}

}  // namespace
}  // namespace umbranet
