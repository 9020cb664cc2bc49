#include "observe/rounds.h"

#include <gtest/gtest.h>

#include <atomic>

#include "govern/registry_fixture.h"
#include "observe/schema.h"
#include "sql/database.h"

namespace holdfast::observe {
namespace {

using govern::Release;
using govern::TestRegistry;
using repo::TestHub;
using std::chrono::hours;
using std::chrono::milliseconds;

// Answers with a label of its own.
class FixedAsker final : public ShadowAsker {
 public:
  std::string label = "billing";
  std::vector<int64_t> asked;
  Result<std::string> ask(const serve::ServedCall&, const identity::Caller&,
                          const serve::ReleaseAnswer& earlier) override {
    asked.push_back(earlier.release);
    if (label.empty()) return fail(Reason::queue_full, "busy");
    return R"([[{"label":")" + label + R"(","score":0.9}]])";
  }
};

class FixedAuditor final : public LicenceAuditor {
 public:
  bool passed = true;
  std::string why = "base model lab/base must not be used commercially";
  Result<LicenceAudit> audit(const govern::Record&, const govern::Release&) override {
    if (passed) return LicenceAudit{};
    return LicenceAudit{.verdict = LicenceAudit::Verdict::fail, .why = why};
  }
};

struct RoundsTest : ::testing::Test {
  RoundsTest() {
    TestHub::require(sql::migrate(world.hub.database(), migrations(), 1));
    world.ready();
  }
  double value(const std::string& line) const {
    const std::string text = metrics->text();
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
  std::string labels(int64_t release, const std::string& more = "") const {
    return "{endpoint=\"" + names.endpoint_of("lab/support") + "\"" + more + ",version=\"" +
           std::to_string(release) + "\"}";
  }
  void tick() { TestHub::require(rounds.tick()); }
  serve::ServedCall call(int64_t release, const std::string& id, const std::string& label = "billing") {
    return {.id = id,
            .by = {.model = {world.model.id.raw, "lab/intents", std::string(40, 'c')},
                   .deployment = "lab/support/1/stable",
                   .tokenizer = {},
                   .record = "lab/support",
                   .feature = {},
                   .release = release},
            .user = "ada",
            .door = "task_model",
            .captures = {},
            .content_type = "application/json",
            .input = R"({"inputs":"where is my money"})",
            .output = R"([[{"label":")" + label + R"(","score":0.9}]])"};
  }
  void serve_minutes(int times, int good, int bad, std::chrono::minutes step = std::chrono::minutes(1)) {
    const Error gone = fail(Reason::worker_failed, "gone");
    const serve::ServedCall one = call(1, "r");
    for (int time = 0; time < times; ++time) {
      for (int i = 0; i < good; ++i) desk.served({.call = one, .took = milliseconds(5)});
      for (int i = 0; i < bad; ++i) desk.served({.call = one, .took = milliseconds(5), .error = &gone});
      world.hub.clock().advance(step);
    }
  }

  TestRegistry world;
  Secret key{std::string(64, 'b')};
  SystemTicks ticks;
  std::unique_ptr<Metrics> metrics = make_metrics();
  SeriesNames names{key};
  FixedAsker asker;
  FixedAuditor auditor;
  Shadow shadow{{.live = world.registry->live,
                 .names = names,
                 .random = world.hub.random(),
                 .log = world.hub.log(),
                 .metrics = *metrics},
                100};
  Desk desk{{.usual = {.availability = 0.99}},
            {.names = names,
             .instance_key = key,
             .clock = world.hub.clock(),
             .ticks = ticks,
             .random = world.hub.random(),
             .log = world.hub.log(),
             .metrics = *metrics,
             .shadow = &shadow}};
  Rounds rounds{{.desk = desk,
                 .shadow = &shadow,
                 .asker = &asker,
                 .database = world.hub.database(),
                 .registry = *world.registry,
                 .auditor = auditor,
                 .clock = world.hub.clock(),
                 .log = world.hub.log(),
                 .metrics = *metrics}};
};

TEST_F(RoundsTest, StalenessAccuracyAndLicencesOfWhatIsLive) {
  world.deployed("one");
  tick();
  EXPECT_LT(value("holdfast_serve_staleness_seconds" + labels(1)), 60);
  EXPECT_NEAR(value("holdfast_serve_accuracy_ratio" + labels(1, ",source=\"offline\"")), 0.9, 1e-9);
  EXPECT_EQ(value("holdfast_serve_accuracy_samples" + labels(1, ",source=\"offline\"")), 1000);
  EXPECT_EQ(value("holdfast_licence_audit_pass_ratio"), 1);
  EXPECT_EQ(value("holdfast_licence_audit_failures_total"), 0);

  world.hub.clock().advance(hours(31 * 24));
  auditor.passed = false;
  tick();
  EXPECT_GT(value("holdfast_serve_staleness_seconds" + labels(1)), 31.0 * 24 * 3600 - 1);
  EXPECT_EQ(value("holdfast_licence_audit_pass_ratio"), 0);
  EXPECT_EQ(value("holdfast_licence_audit_failures_total"), 1) << "once, however often it is looked at";
  tick();
  EXPECT_EQ(value("holdfast_licence_audit_failures_total"), 1);
}

TEST_F(RoundsTest, EachFailedLicenceAuditIsAnIncidentUntilItPassesAgain) {
  world.deployed("one");
  tick();
  const auto all = [&] {
    return TestHub::require_value(world.registry->watch.incidents(world.ada, "lab/support", ""));
  };
  const auto next_audit = [&] {
    world.hub.clock().advance(Standing::audit_step);
    tick();
  };
  EXPECT_TRUE(all().empty());
  auditor.passed = false;
  next_audit();
  next_audit();
  ASSERT_EQ(all().size(), 1u) << "one for the release, however often it is looked at";
  EXPECT_EQ(all()[0].state, "open");
  EXPECT_EQ(all()[0].cause, "licence audit: " + auditor.why);
  auditor.why = "dataset lab/data names no licence: a person must decide";
  next_audit();
  ASSERT_EQ(all().size(), 1u);
  EXPECT_EQ(all()[0].cause, "licence audit: " + auditor.why);
  auditor.passed = true;
  next_audit();
  EXPECT_EQ(all()[0].state, "closed");
  auditor.passed = false;
  next_audit();
  ASSERT_EQ(all().size(), 2u) << "it failed anew";
  TestHub::require_value(world.registry->watch.close(world.ada, all()[0].id, "the authors agreed by letter"));
  next_audit();
  EXPECT_EQ(all().size(), 2u) << "what a person closed does not come back for the same cause";
  EXPECT_EQ(value("holdfast_licence_audit_pass_ratio"), 0) << "and is no pass";
}

TEST_F(RoundsTest, AccuracyFollowsLabelsWithItsSample) {
  world.deployed("one");
  for (int i = 0; i < 10; ++i) {
    const std::string id = "request-" + std::to_string(i);
    world.registry->requests.take(call(1, id));
    if (i >= 8) continue;
    TestHub::require_value(world.registry->requests.label(
        world.ada, {{.request = id, .label = i < 6 ? "billing" : "refund", .edit = {}, .reject = {}}}));
  }
  TestHub::require(world.registry->requests.flush());
  tick();
  EXPECT_NEAR(value("holdfast_serve_accuracy_ratio" + labels(1, ",source=\"online\"")), 6.0 / 8, 1e-9);
  EXPECT_EQ(value("holdfast_serve_accuracy_samples" + labels(1, ",source=\"online\"")), 8);
  EXPECT_NEAR(value("holdfast_serve_label_coverage_ratio" + labels(1)), 0.8, 1e-9);
}

TEST_F(RoundsTest, ABudgetThatBurnsFourTimesTooFastFreezesReleasesAndAPersonsWordStands) {
  world.deployed("one");
  const std::chrono::minutes step(4);
  serve_minutes(15, 961, 39, step);  // 3.9 times.
  tick();
  EXPECT_FALSE(
      TestHub::require_value(world.registry->records.find(world.ada, "lab/support")).freeze.has_value());
  serve_minutes(15, 950, 50, step);
  tick();
  const auto frozen = TestHub::require_value(world.registry->records.find(world.ada, "lab/support"));
  ASSERT_TRUE(frozen.freeze.has_value());
  EXPECT_NE(frozen.freeze->reason.find("error budget"), std::string::npos);
  EXPECT_EQ(value("holdfast_slo_alarm{endpoint=\"" + names.endpoint_of("lab/support") +
                  "\",severity=\"gate\",slo=\"availability\"}"),
            1);
  TestHub::require(world.registry->records.set_frozen(
      world.ada, "lab/support", govern::Records::Freezing::unfreeze, "known, accepted"));
  serve_minutes(1, 950, 50, step);
  tick();
  EXPECT_FALSE(
      TestHub::require_value(world.registry->records.find(world.ada, "lab/support")).freeze.has_value());
}

TEST_F(RoundsTest, TheRecordsOwnPromiseComesBeforeTheUsualOne) {
  world.put_record(TestRegistry::yaml().replace(TestRegistry::yaml().find("accuracy_drop_max: 0.02"), 23,
                                                "accuracy_drop_max: 0.02, p95_ms_max: 40"));
  world.deployed("one");
  tick();
  const auto view = desk.objectives().view("lab/support");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->promise.latency, milliseconds(40));
  EXPECT_EQ(view->promise.availability, 0.99);
}

TEST_F(RoundsTest, ASampleOfAnswersIsAskedOfTheVersionBeforeAndDisagreementIsShown) {
  world.deployed("one");
  world.deployed("two");
  tick();
  for (int i = 0; i < 6; ++i) {
    const serve::ServedCall one = call(2, "r", i < 2 ? "refund" : "billing");
    desk.served({.call = one, .took = milliseconds(5), .caller = &world.ada});
  }
  tick();
  EXPECT_EQ(asker.asked, std::vector<int64_t>(6, 1)) << "the one before, once for each";
  EXPECT_NEAR(value("holdfast_shadow_disagreement_ratio" + labels(2)), 2.0 / 6, 1e-9);
  EXPECT_EQ(shadow.figures("lab/support").compared, 6);

  asker.label.clear();
  for (size_t i = 0; i < Shadow::waiting_max + 5; ++i) {
    const serve::ServedCall one = call(2, "r");
    desk.served({.call = one, .took = milliseconds(5), .caller = &world.ada});
  }
  tick();
  EXPECT_EQ(value("holdfast_shadow_skipped_total{why=\"queue_full\"}"), 5) << "bounded";
  EXPECT_EQ(value("holdfast_shadow_skipped_total{why=\"failed\"}"), static_cast<double>(Shadow::runs_max))
      << "a few at a time";
  EXPECT_EQ(shadow.figures("lab/support").compared, 6);
}

TEST_F(RoundsTest, ACanaryIsComparedHoweverMuchTheStableVersionAnswers) {
  world.deployed("one");
  tick();
  for (size_t i = 0; i < 4 * Shadow::waiting_max; ++i)
    desk.served({.call = call(1, "r"), .took = milliseconds(5), .caller = &world.ada});
  desk.served({.call = call(2, "r", "refund"), .took = milliseconds(5), .caller = &world.ada});
  tick();
  EXPECT_EQ(asker.asked, std::vector<int64_t>{1}) << "the stable one has none before it to be asked";
  EXPECT_EQ(shadow.figures("lab/support").disagreed, 1);
}

TEST_F(RoundsTest, WindowsOutliveARestartAndAGateThatWasClosedClosesNoSecondTime) {
  world.deployed("one");
  serve_minutes(60, 95, 5);
  tick();
  ASSERT_EQ(desk.objectives().view("lab/support")->indicators[0].by_window[2].bad, 59 * 5)
      << "the oldest minute has left the hour";
  TestHub::require(world.registry->records.set_frozen(
      world.ada, "lab/support", govern::Records::Freezing::unfreeze, "known, accepted"));
  TestHub::require(rounds.finish());

  Desk next{{.usual = {.availability = 0.99}},
            {.names = names,
             .instance_key = key,
             .clock = world.hub.clock(),
             .ticks = ticks,
             .random = world.hub.random(),
             .log = world.hub.log(),
             .metrics = *metrics}};
  Rounds again{{.desk = next,
                .database = world.hub.database(),
                .registry = *world.registry,
                .auditor = auditor,
                .clock = world.hub.clock(),
                .log = world.hub.log(),
                .metrics = *metrics}};
  const Error gone = fail(Reason::worker_failed, "gone");
  const serve::ServedCall one = call(1, "r");
  next.served({.call = one, .took = milliseconds(5), .error = &gone});  // Before anything was taken up.
  TestHub::require(again.tick());
  const auto view = next.objectives().view("lab/support");
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->indicators[0].by_window[2].bad, 59 * 5 + 1);
  EXPECT_EQ(view->indicators[0].by_window[7].bad, 60 * 5 + 1) << "30 days";
  EXPECT_TRUE(view->indicators[0].alarms[static_cast<size_t>(Alarm::gate)]);
  EXPECT_FALSE(
      TestHub::require_value(world.registry->records.find(world.ada, "lab/support")).freeze.has_value())
      << "a person's word stands over a restart";
}

TEST_F(RoundsTest, WhatNoWindowNeedsIsNotKept) {
  world.deployed("one");
  const auto rows = [&] {
    int64_t count = 0;
    TestHub::require(world.hub.database().read([&](sql::Transaction& tx) {
      return tx.query("SELECT COUNT(*) FROM observe_budgets", {}, [&](const sql::Row& row) {
        count = row.integer(0);
        return true;
      });
    }));
    return count;
  };
  serve_minutes(90, 1, 0);
  tick();
  TestHub::require(rounds.finish());
  EXPECT_GT(rows(), 90);
  world.hub.clock().advance(hours(7));
  serve_minutes(1, 1, 0);
  TestHub::require(rounds.finish());
  EXPECT_LT(rows(), 6) << "minutes of an older day are gone, hours stay";
  world.hub.clock().advance(hours(24 * 40));
  serve_minutes(1, 1, 0);
  TestHub::require(rounds.finish());
  EXPECT_EQ(rows(), 2);
}

TEST_F(RoundsTest, ADriftReferenceIsKeptOverARestart) {
  world.deployed("one");
  for (int i = 0; i < 900; ++i) {
    serve::ServedCall one = call(1, "r");
    one.input = R"({"inputs":"word)" + std::to_string(i % 37) + R"( again"})";
    desk.served({.call = one, .took = milliseconds(5)});
  }
  tick();
  EXPECT_EQ(desk.drift().figures("lab/support").phase, DriftBook::Phase::filling);
  Drift again({key, names, world.hub.log(), *metrics});
  TestHub::require(again.tick(world.hub.database()));
  EXPECT_EQ(again.figures("lab/support").reference_rows, 400U);
  TestHub::require(again.begin_again(world.hub.database(), "lab/support"));
  EXPECT_EQ(again.figures("lab/support").phase, DriftBook::Phase::vocabulary);
}

}  // namespace
}  // namespace holdfast::observe
