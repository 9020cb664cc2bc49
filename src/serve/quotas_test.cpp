#include "serve/quotas.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "serve/schema.h"
#include "sql/database_fixture.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

class QuotasTest : public sql::OnEachDatabase {
 protected:
  void SetUp() override {
    OnEachDatabase::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(sql::migrate(database(), migrations(), 1).ok());
    quotas = open_quotas(database());
  }
  std::unique_ptr<Quotas> open_quotas(sql::Database& on) {
    return Quotas::open({on, clock, log, *metrics}).value();
  }
  static Subject user(const char* name) { return {SubjectKind::user, name}; }
  Status limit(Quotas& of, const Subject& subject, Measure measure, std::optional<int64_t> amount) {
    const Quotas::Change change{measure, amount};
    return of.set(subject, std::span(&change, 1), "root");
  }
  Result<std::shared_ptr<Allowance>> ask(Quotas& of, const char* name, int64_t tokens = 1) {
    retry = {};
    return of.admit({std::string("user:") + name}, tokens, retry);
  }
  int64_t used(Quotas& of, const char* name) { return of.states(user(name)).value().at(0).used; }

  ManualClock clock;
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  std::unique_ptr<Quotas> quotas;
  milliseconds retry{};
};
INSTANTIATE_TEST_SUITE_P(, QuotasTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

TEST_P(QuotasTest, WhatCostsLessThanAMillionthAddsUp) {
  int64_t counted = 0;
  for (int i = 0; i < 1000; ++i) counted += quotas->whole_money(0.3);
  EXPECT_NEAR(static_cast<double>(counted), 300, 1);
  EXPECT_EQ(quotas->whole_money(-1), 0);
  const int64_t before = quotas->whole_money(2.5);
  EXPECT_TRUE(before == 2 || before == 3);
}

TEST_P(QuotasTest, WhatHasCostWhatItMayIsSpentAndNothingElseIs) {
  const Subject dear{SubjectKind::endpoint, "ada/dear"};
  EXPECT_FALSE(quotas->is_spent(dear));
  ASSERT_TRUE(limit(*quotas, dear, Measure::requests_day, 1).ok());
  ASSERT_TRUE(limit(*quotas, dear, Measure::money_day, 10).ok());
  milliseconds wait{};
  auto allowed = quotas->admit({"endpoint:ada/dear"}, 1, wait);
  ASSERT_TRUE(allowed.ok());
  EXPECT_FALSE(quotas->is_spent(dear));  // Its requests are used up, which is another thing.
  allowed.value()->took(0, 10);
  allowed.value()->settle();
  EXPECT_TRUE(quotas->is_spent(dear));
  clock.advance(milliseconds(24 * 3600 * 1000));
  EXPECT_FALSE(quotas->is_spent(dear));
}

TEST_P(QuotasTest, AtEightyAndAtAHundredPercentItIsToldAndCountedOnceAPeriod) {
  const auto told = [&](int percent) {
    const std::string line =
        "holdfast_serve_quotas_reached_total{kind=\"user\",percent=\"" + std::to_string(percent) + "\"} ";
    const std::string text = metrics->text();
    const size_t at = text.find(line);
    return at == std::string::npos ? -1 : std::stoi(text.substr(at + line.size()));
  };
  EXPECT_EQ(told(80), 0) << "there before it happens, so that a rate sees the first";
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::requests_day, 10).ok());
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(ask(*quotas, "ada").ok());
  EXPECT_EQ(told(80), 0);
  ASSERT_TRUE(ask(*quotas, "ada").ok());
  EXPECT_EQ(told(80), 1);
  EXPECT_EQ(told(100), 0);
  for (int i = 0; i < 5; ++i) (void)ask(*quotas, "ada");
  EXPECT_EQ(told(80), 1);
  EXPECT_EQ(told(100), 1);
  clock.advance(milliseconds(24 * 3600 * 1000));
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(ask(*quotas, "ada").ok());
  EXPECT_EQ(told(80), 2) << "another day";
  size_t lines = 0;
  for (const std::string& line : sink.lines()) lines += line.find("quota_reached") != std::string::npos;
  EXPECT_EQ(lines, 3U);
}

TEST_P(QuotasTest, FeaturesAreSubjectsAsWell) {
  EXPECT_EQ(parse_subject("feature:letters").value().text(), "feature:letters");
  EXPECT_FALSE(parse_subject("feature:a/b").ok());
  ASSERT_TRUE(limit(*quotas, {SubjectKind::feature, "letters"}, Measure::requests_day, 1).ok());
  milliseconds wait{};
  EXPECT_TRUE(quotas->admit({"user:ada", "feature:letters"}, 1, wait).ok());
  EXPECT_FALSE(quotas->admit({"user:bea", "feature:letters"}, 1, wait).ok());
}

TEST_P(QuotasTest, AmongManyThreadsExactlyAsManyAsAllowedAreLetIn) {
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::requests_day, 100).ok());
  std::atomic<int> let_in = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      milliseconds wait{};
      for (int n = 0; n < 25; ++n) {
        const auto allowed = quotas->admit({"user:ada", "token:1"}, 1, wait);
        ++(allowed.ok() ? let_in : refused);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(let_in, 100);
  EXPECT_EQ(refused, 100);
  EXPECT_EQ(used(*quotas, "ada"), 100);
}

TEST_P(QuotasTest, ARefusalSaysWhatIsUsedUpAndWhenItIsNot) {
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::requests_minute, 1).ok());
  ASSERT_TRUE(ask(*quotas, "ada").ok());
  const auto refused = ask(*quotas, "ada");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::rate_limited);
  EXPECT_EQ(refused.error().message, "the quota of the user is used up: 1 of 1 requests_minute");
  EXPECT_GT(retry.count(), 0);
  EXPECT_LE(retry.count(), 60'000);
  const milliseconds wait = retry;
  EXPECT_TRUE(ask(*quotas, "bea").ok()) << "others are others";
  clock.advance(wait);
  EXPECT_TRUE(ask(*quotas, "ada").ok());
}

TEST_P(QuotasTest, WhatWasUsedSurvivesARestartAndACrashNeverGivesMoreThanTheLimit) {
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::requests_day, 1000).ok());
  for (int i = 0; i < 95; ++i) ASSERT_TRUE(ask(*quotas, "ada").ok());
  const auto other_database = open();
  int after = 0;
  {
    const auto crashed = open_quotas(*other_database);  // The first has not said good-bye.
    while (after < 2000 && ask(*crashed, "ada").ok()) ++after;
    EXPECT_LE(after, 905);
    EXPECT_GE(after, 890);
    ASSERT_TRUE(limit(*crashed, user("bea"), Measure::requests_day, 5).ok());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask(*crashed, "bea").ok());
  }
  const auto restarted = open_quotas(*other_database);
  EXPECT_TRUE(ask(*restarted, "bea").ok());
  EXPECT_TRUE(ask(*restarted, "bea").ok());
  EXPECT_FALSE(ask(*restarted, "bea").ok());
}

TEST_P(QuotasTest, TokensAreHeldWhileARequestRunsAndCountedWhenItEnds) {
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::tokens_day, 100).ok());
  auto first = ask(*quotas, "ada", 60).value();
  EXPECT_FALSE(ask(*quotas, "ada", 60).ok()) << "both together would break it";
  first->took(30, 0);
  first->settle();
  first->settle();
  EXPECT_EQ(used(*quotas, "ada"), 30);
  const std::string ada = "user:ada";
  const auto left = quotas->tightest(std::span(&ada, 1));
  ASSERT_TRUE(left[1].has_value());
  EXPECT_EQ(left[1]->remaining(), 70);
  EXPECT_FALSE(left[0].has_value());
  auto second = ask(*quotas, "ada", 60).value();
  second->give_back();
  EXPECT_EQ(used(*quotas, "ada"), 30);
  EXPECT_TRUE(ask(*quotas, "ada", 70).ok());
}

TEST_P(QuotasTest, MoneyIsCountedAndTheNextIsRefusedWhenItIsSpent) {
  ASSERT_TRUE(limit(*quotas, user("ada"), Measure::money_day, 1'000'000).ok());
  auto dear = ask(*quotas, "ada").value();
  dear->took(5, 1'000'000);
  dear.reset();
  EXPECT_FALSE(ask(*quotas, "ada").ok());
  clock.advance(milliseconds(86'400'000));
  EXPECT_TRUE(ask(*quotas, "ada").ok());
}

TEST_P(QuotasTest, ALimitSetByAnotherProgramIsSeenAndAnEndedOneIsForgotten) {
  ASSERT_TRUE(ask(*quotas, "ada").ok());
  const auto other_database = open();
  const auto other = open_quotas(*other_database);
  ASSERT_TRUE(limit(*other, user("ada"), Measure::requests_day, 0).ok());
  clock.advance(milliseconds(2'000));
  EXPECT_FALSE(ask(*quotas, "ada").ok());
  ASSERT_TRUE(limit(*other, user("ada"), Measure::requests_day, std::nullopt).ok());
  clock.advance(milliseconds(2'000));
  EXPECT_TRUE(ask(*quotas, "ada").ok());
  EXPECT_TRUE(quotas->limited().value().empty());
}

TEST(Subject, IsReadAsItIsWritten) {
  for (const char* text : {"token:7", "user:ada", "organisation:lab", "endpoint:ada/search"})
    EXPECT_EQ(parse_subject(text).value().text(), text);
  for (const char* text : {"", "user:", "ada", "team:x", "token:x", "token:0", "user:a/b", "endpoint:search"})
    EXPECT_FALSE(parse_subject(text).ok()) << text;
}

}  // namespace
}  // namespace holdfast::serve
