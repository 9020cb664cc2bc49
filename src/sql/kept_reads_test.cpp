#include "sql/kept_reads.h"

#include <atomic>
#include <string>
#include <thread>

#include "sql/database_fixture.h"

namespace holdfast::sql {
namespace {

// A number that changes, read through what is kept of it.
class KeptReadsTest : public OnEachDatabase {
 protected:
  void SetUp() override {
    OnEachDatabase::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(run(database(), "CREATE TABLE kept (value BIGINT NOT NULL)").ok());
    ASSERT_TRUE(run(database(), "INSERT INTO kept (value) VALUES (0)").ok());
  }
  static Status run(Database& on, std::string_view sql) {
    return on.write([&](Transaction& tx) -> Status {
      TRY_DONE(tx.run(sql));
      return Done{};
    });
  }
  static Status set(Database& on, int64_t value) {
    return run(on, "UPDATE kept SET value = " + std::to_string(value));
  }
  Result<int64_t> read() {
    ++reads_;
    return database().read<int64_t>([](Transaction& tx) -> Result<int64_t> {
      int64_t found = -1;
      TRY_DONE(tx.query("SELECT value FROM kept", {}, [&](const Row& row) {
        found = row.integer(0);
        return true;
      }));
      return found;
    });
  }
  int64_t kept(KeptReads<std::string, int64_t>& reads) {
    const auto got = reads.get(std::string("value"), [this] { return read(); });
    EXPECT_TRUE(got.ok());
    return got.ok() ? got.value() : -1;
  }
  std::atomic<int> reads_ = 0;
};

TEST_P(KeptReadsTest, OwnCommitsCountAtOnceAndNothingIsReadTwiceBetweenThem) {
  KeptReads<std::string, int64_t> reads(database());
  for (int64_t value = 1; value <= 20; ++value) {
    ASSERT_TRUE(set(database(), value).ok());
    EXPECT_EQ(kept(reads), value);
  }
  // Our own commits are told at once and seen once more when the file is looked at next.
  std::this_thread::sleep_for(2 * commits_seen_within);
  kept(reads);
  const int before = reads_;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(kept(reads), 20);
  EXPECT_EQ(reads_ - before, GetParam() == Engine::sqlite ? 0 : 50);  // PostgreSQL cannot tell: each is read.
}

TEST_P(KeptReadsTest, ACommitOfAnotherProcessIsSeenSoon) {
  KeptReads<std::string, int64_t> reads(database());
  const auto other = open();
  for (int64_t value = 1; value <= 5; ++value) {
    kept(reads);
    ASSERT_TRUE(set(*other, value).ok());
    std::this_thread::sleep_for(commits_seen_within + std::chrono::milliseconds(1));
    EXPECT_EQ(kept(reads), value);
  }
}

TEST_P(KeptReadsTest, WhatIsCommittedWhileItIsReadIsNotHidden) {
  KeptReads<std::string, int64_t> reads(database());
  const auto stale = reads.get(std::string("value"), [this]() -> Result<int64_t> {
    auto before = read();
    EXPECT_TRUE(set(database(), 7).ok());
    return before;
  });
  ASSERT_TRUE(stale.ok());
  EXPECT_EQ(stale.value(), 0);
  EXPECT_EQ(kept(reads), 7);
}

TEST_P(KeptReadsTest, AmongManyThreadsNobodySeesWhatWasBeforeACommitThatIsOver) {
  KeptReads<std::string, int64_t> reads(database());
  std::atomic<int64_t> committed = 0;
  std::atomic<bool> ended = false;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i)
      readers.emplace_back([&] {
        while (!ended) {
          const int64_t least = committed;
          if (kept(reads) < least) ++wrong;
        }
      });
    for (int64_t value = 1; value <= 100; ++value) {
      EXPECT_TRUE(set(database(), value).ok());
      committed = value;
    }
    ended = true;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(KeptReadsTest, AFailureIsNotKept) {
  KeptReads<std::string, int64_t> reads(database());
  const auto failed = reads.get(std::string("value"), []() -> Result<int64_t> {
    return fail(Reason::dependency_failed, "the database is busy");
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(kept(reads), 0);
}

INSTANTIATE_TEST_SUITE_P(Each, KeptReadsTest, testing::ValuesIn(each_engine), engine_name);

}  // namespace
}  // namespace holdfast::sql
