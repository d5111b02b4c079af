// Goal: cursors survive the way to a client and back, and what is no cursor is told apart.
// Method: pure functions on tables.
#include "umbranet/domain/ledger_records.h"

#include <string>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

TEST(LedgerRecords, ACursorOfDeadLettersIsReadAsItWasWritten) {
  const DeadCursor cursor{.finished_at = -5, .seq = 77};
  const auto read = ParseDeadCursor(FormatDeadCursor(cursor));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->finished_at, -5);
  EXPECT_EQ(read->seq, 77);
  EXPECT_EQ(ParseDeadCursor("")->seq, DeadCursor{}.seq) << "the beginning";
}

TEST(LedgerRecords, WhatIsNoCursorIsNothing) {
  for (const std::string text : {"x", "1", "1.", "1.2.", "1.2x", ".2", "1.99999999999999999999"}) {
    EXPECT_FALSE(ParseDeadCursor(text).has_value()) << text;
  }
  for (const std::string text : {"x", "-1", "1 ", "99999999999999999999"}) {
    EXPECT_FALSE(ParseJournalCursor(text).has_value()) << text;
  }
  EXPECT_EQ(ParseJournalCursor(""), 0);
  EXPECT_EQ(ParseJournalCursor("12"), 12);
}

TEST(LedgerRecords, ALongErrorIsCutBetweenCharacters) {
  const std::string error = std::string(1999, 'x') + "\xC3\xA9";
  EXPECT_EQ(CutError(error), std::string(1999, 'x'));
  EXPECT_EQ(CutError("short"), "short");
}

}  // namespace
}  // namespace umbranet
