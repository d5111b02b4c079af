// Goal: a question's terms are counted in documents as whole words, whatever the words are.
#include "umbranet/base/term_counter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;

TEST(TermCounter, CountsWholeTerms) {
  const std::vector<std::string> terms = {"tea", "team", "", "\xC3\xA9t\xC3\xA9", "milk"};
  const TermCounter counter(terms);
  EXPECT_THAT(counter.Count("tea team tea \xC3\xA9t\xC3\xA9 teas"), ElementsAre(2, 1, 0, 1, 0));
  EXPECT_THAT(counter.Count("tea"), ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(counter.Count(""), ElementsAre(0, 0, 0, 0, 0));
}

TEST(TermCounter, OfNoTermsCountsNothing) {
  EXPECT_THAT(TermCounter({}).Count("tea"), ElementsAre());
}

}  // namespace
}  // namespace umbranet
