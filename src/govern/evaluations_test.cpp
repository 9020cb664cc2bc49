#include "govern/evaluations.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <thread>

#include "base/ticks.h"
#include "codec/json.h"
#include "govern/measured.h"
#include "govern/registry_fixture.h"

namespace holdfast::govern {
namespace {

// The files of a data set, without a store below.
class FixedFiles final : public serve::FileSource {
 public:
  std::map<std::string, std::string> files;
  Result<std::vector<File>> list(const serve::ServedModel&) override {
    std::vector<File> out;
    for (const auto& [path, text] : files) out.push_back({path, text.size()});
    return out;
  }
  Status copy(const serve::ServedModel&, const std::string& path, io::WriteFile& into) override {
    return into.append(as_bytes(files.at(path)));
  }
};

// Says "a" to what holds an a, else "b"; tests may act or fail in between.
class FixedAskers final : public ReleaseAskers {
 public:
  std::function<Status(std::string_view text)> before = [](std::string_view) { return Status(Done{}); };
  std::vector<std::string> classes{"b", "a"};
  size_t asked = 0;

  Result<std::unique_ptr<ReleaseAsker>> open(const Release&, const identity::Caller&) override {
    class Asker final : public ReleaseAsker {
     public:
      explicit Asker(FixedAskers& owner) : owner_(owner) {}
      Result<AskedRow> ask(const Context&, std::string_view text) override {
        ++owner_.asked;
        TRY_DONE(owner_.before(text));
        const bool a = text.find('a') != std::string_view::npos;
        return AskedRow{measure::answer_of({{"b", a ? 0.0 : 2.0}, {"a", 1.0}}, 2.5), owner_.classes};
      }

     private:
      FixedAskers& owner_;
    };
    return std::unique_ptr<ReleaseAsker>(std::make_unique<Asker>(*this));
  }
};

class EvaluationsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    t.put_record();
    data =
        TestHub::require_value(t.hub.commit(t.ada, t.dataset, "test.csv", "text,label\nx,a\n")).commit.hex();
    files.files["test.csv"] =
        "id,text,label,kind\n1,an a,a,edge\n2,bee,b,edge\n3,cee,a,normal\n4,ada,a,normal\n";
    one = t.release("{}");
  }

  EvaluationJob started(int64_t seed = 0) {
    auto outcome = TestHub::require_value(
        all.start(t.ada, "lab/support", one.number, {.revision = "main", .seed = seed}));
    if (auto* refusal = std::get_if<Refusal>(&outcome)) ADD_FAILURE() << refusal->message;
    return std::get<EvaluationJob>(outcome);
  }
  EvaluationJob job(int64_t id) { return TestHub::require_value(all.find(t.ada, id)); }
  bool run() { return TestHub::require_value(all.run_next(askers, stop.get_token())); }
  std::vector<Evidence> evidence() {
    std::vector<Evidence> out;
    for (const Evidence& each :
         TestHub::require_value(t.registry->releases.facts(t.ada, "lab/support", one.number)).evidence)
      if (each.kind == "evaluation") out.push_back(each);
    return out;
  }
  Result<std::vector<boost::json::object>> rows_of(int64_t id) {
    TRY(const auto full, t.registry->releases.find_evidence(t.ada, id));
    TRY(const boost::json::value list, codec::parse_json(full.rows));
    std::vector<boost::json::object> out;
    for (const boost::json::value& row : list.as_array()) out.push_back(row.as_object());
    return out;
  }
  Evaluations another() {
    return Evaluations({.database = t.hub.database(),
                        .registry = *t.registry,
                        .accounts = t.hub.accounts(),
                        .hub = t.hub.hub(),
                        .files = files,
                        .metric_code = "test 1",
                        .clock = t.hub.clock(),
                        .ticks = ticks,
                        .log = t.hub.log()});
  }

  TestRegistry t;
  FixedFiles files;
  FixedAskers askers;
  ManualTicks ticks;
  std::stop_source stop;
  Evaluations all = another();
  Release one;
  std::string data;
};

TEST_F(EvaluationsTest, WithoutCriteriaOrDataTheRunIsRefusedWithWhatIsMissing) {
  auto refused = TestHub::require_value(all.start(t.ada, "lab/support", one.number, {}));
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused));
  EXPECT_EQ(std::get<Refusal>(refused).missing.front().fact, "criteria");
  EXPECT_EQ(std::get<Refusal>(refused).missing.front().action, "set_criteria");
  t.set_criteria();
  std::string bare = TestRegistry::yaml();
  const size_t at = bare.find("evaluation: {");
  bare.erase(at, bare.find('\n', at) + 1 - at);
  t.put_record(bare);
  refused = TestHub::require_value(all.start(t.ada, "lab/support", one.number, {}));
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused));
  EXPECT_EQ(std::get<Refusal>(refused).missing.front().action, "edit_record");
  EXPECT_TRUE(TestHub::require_value(all.list(t.ada, "lab/support", one.number)).empty());
  EXPECT_FALSE(run());
}

TEST_F(EvaluationsTest, ARunIsKeptWholeAndTheSameRunAgainHasTheSameAnswers) {
  t.set_criteria();
  const EvaluationJob first = started(3);
  EXPECT_EQ(first.state, JobState::waiting);
  EXPECT_EQ(first.dataset_revision, data);
  EXPECT_TRUE(run());
  const EvaluationJob done = job(first.id);
  EXPECT_EQ(done.state, JobState::done) << done.why;
  EXPECT_EQ(done.rows, 4);
  ASSERT_EQ(evidence().size(), 1U);
  const Evidence kept = evidence()[0];
  EXPECT_EQ(kept.id, done.evidence);
  EXPECT_EQ(kept.by, "ada");
  EXPECT_DOUBLE_EQ(kept.body.at("metrics").at("accuracy").at("value").as_double(), 0.75);
  EXPECT_DOUBLE_EQ(kept.body.at("slices").at("kind:normal").at("accuracy").at("value").as_double(), 0.5);
  EXPECT_EQ(kept.body.at("latency_ms").at("p50").as_double(), 2.5);
  const auto full = TestHub::require_value(t.registry->releases.find_evidence(t.ada, kept.id));
  const auto rows = TestHub::require_value(codec::parse_json(full.rows));
  ASSERT_EQ(rows.as_array().size(), 4U);
  EXPECT_FALSE(rows.at(0).as_object().contains("text"));
  EXPECT_EQ(rows.at(2).at("predicted").as_string(), "b");
  EXPECT_DOUBLE_EQ(rows.at(2).at("confidence").as_double(), 1 / (1 + std::exp(-1.0)));

  askers.classes = {"a", "b"};  // In another order.
  const EvaluationJob second = started(3);
  EXPECT_TRUE(run());
  EXPECT_EQ(job(second.id).state, JobState::done);
  ASSERT_EQ(evidence().size(), 2U);
  EXPECT_EQ(evidence()[0].body.at("answers_digest"), evidence()[1].body.at("answers_digest"));
  EXPECT_EQ(evidence()[0].body.at("metrics"), evidence()[1].body.at("metrics"));
}

TEST_F(EvaluationsTest, WhatTheServerRanItselfIsMeasuredAndWhatWasHandedInIsNot) {
  t.set_criteria();
  EXPECT_TRUE(TestHub::require_value(measured_results(t.hub.database(), t.model.id)).empty());
  started();
  EXPECT_TRUE(run());
  const Evidence first = evidence().front();
  const auto measured = TestHub::require_value(measured_results(t.hub.database(), t.model.id));
  ASSERT_EQ(measured.size(), 1);
  EXPECT_EQ(measured[0].evaluation, first.id);
  EXPECT_EQ(measured[0].revision, one.revision);
  EXPECT_EQ(measured[0].dataset, "lab/messages");
  EXPECT_EQ(measured[0].dataset_revision, data);
  EXPECT_DOUBLE_EQ(measured[0].metrics.at("accuracy"), 0.75) << "three of four";
  NewEvidence handed{.kind = "evaluation", .body = first.body};
  handed.rows = TestHub::require_value(rows_of(first.id));
  TestHub::require_value(t.registry->releases.add_evidence(t.ada, "lab/support", one.number, handed));
  EXPECT_EQ(TestHub::require_value(measured_results(t.hub.database(), t.model.id)).size(), 1);
  EXPECT_TRUE(TestHub::require_value(measured_results(t.hub.database(), t.dataset.id)).empty());
}

TEST_F(EvaluationsTest, OnlyThoseWhoMayAddEvaluationsStartAndCancelThem) {
  t.set_criteria();
  const auto by = [&](const identity::Caller& who) {
    return all.start(who, "lab/support", one.number, {}).error().reason;
  };
  EXPECT_EQ(by(t.hub.caller("rea")), Reason::forbidden);
  identity::Caller bound = t.ada;
  bound.environment = "production";
  EXPECT_EQ(by(bound), Reason::forbidden);
  const EvaluationJob made = started();
  EXPECT_EQ(all.cancel(t.hub.caller("rea"), made.id).error().reason, Reason::forbidden);
  EXPECT_EQ(all.start(t.ada, "lab/support", one.number, {}).error().code, Code::conflict);
  EXPECT_EQ(all.start(t.ada, "lab/support", 9, {}).error().code, Code::not_found);
}

TEST_F(EvaluationsTest, AStrangersPrivateDataAnswersLikeNone) {
  t.set_criteria();
  const auto asked = [&](const std::string& name) {
    std::string yaml = TestRegistry::yaml();
    yaml.replace(yaml.find("lab/messages"), 12, name);
    t.put_record(yaml);
    Error error = all.start(t.ada, "lab/support", one.number, {}).error();
    error.message.replace(error.message.find(name), name.size(), "NAME");
    return error;
  };
  t.hub.create("bob", "bob/secret", repo::Visibility::private_, repo::RepoType::dataset);
  const Error closed = asked("bob/secret"), absent = asked("bob/nothing");
  EXPECT_EQ(closed.reason, Reason::repo_not_found);
  EXPECT_EQ(closed.reason, absent.reason);
  EXPECT_EQ(closed.message, absent.message);
}

TEST_F(EvaluationsTest, WhoLostTheRightMeanwhileGetsNoResult) {
  t.set_criteria();
  const EvaluationJob made = started();
  TestHub::require(t.hub.accounts().disable_user("(test)", "ada"));
  EXPECT_TRUE(run());
  TestHub::require(t.hub.accounts().enable_user("(test)", "ada"));
  EXPECT_EQ(job(made.id).state, JobState::failed);
  EXPECT_EQ(askers.asked, 0U);
  EXPECT_TRUE(evidence().empty());
}

TEST_F(EvaluationsTest, ProgressTellsRateAndTimeLeftAndACancelledRunLeavesNothing) {
  t.set_criteria();
  const EvaluationJob made = started();
  std::vector<EvaluationProgress> seen;
  askers.before = [&](std::string_view) -> Status {
    ticks.advance(std::chrono::seconds(2));
    seen.push_back(all.progress(made.id).value());
    if (seen.size() == 3) TestHub::require_value(all.cancel(t.ada, made.id));
    return Done{};
  };
  EXPECT_TRUE(run());
  ASSERT_EQ(seen.size(), 3U);  // The fourth was not asked.
  EXPECT_EQ(seen[0].rows_done, 0);
  EXPECT_FALSE(seen[0].seconds_left.has_value());
  EXPECT_EQ(seen[2].rows_done, 2);
  EXPECT_EQ(seen[2].rows_total, 4);
  EXPECT_DOUBLE_EQ(seen[2].rows_per_second, 2.0 / 6);
  EXPECT_DOUBLE_EQ(seen[2].seconds_left.value(), 6);
  EXPECT_EQ(job(made.id).state, JobState::cancelled);
  EXPECT_FALSE(all.progress(made.id).has_value());
  EXPECT_TRUE(evidence().empty());
  EXPECT_EQ(all.cancel(t.ada, made.id).error().code, Code::conflict);
  askers.before = [](std::string_view) { return Status(Done{}); };
  const EvaluationJob again = started();
  EXPECT_TRUE(run());
  EXPECT_EQ(job(again.id).state, JobState::done);
}

TEST_F(EvaluationsTest, CancelledAfterItsLastRowItStillLeavesNothing) {
  t.set_criteria();
  const EvaluationJob made = started();
  size_t rows = 0;
  askers.before = [&](std::string_view) -> Status {
    if (++rows == 4) TestHub::require_value(all.cancel(t.ada, made.id));
    return Done{};
  };
  EXPECT_TRUE(run());
  EXPECT_EQ(job(made.id).state, JobState::cancelled);
  EXPECT_TRUE(evidence().empty());
}

TEST_F(EvaluationsTest, WhatACrashInterruptedRunsAgainFromItsFirstRowAndThriceAtMost) {
  t.set_criteria();
  const EvaluationJob made = started();
  // A process that ends in the middle: the thread stops, and nothing is written down.
  for (int crash = 1; crash <= 2; ++crash) {
    std::stop_source ended;
    askers.before = [&](std::string_view) -> Status {
      ended.request_stop();
      return Done{};
    };
    Evaluations process = another();
    TestHub::require(process.resume());
    EXPECT_TRUE(TestHub::require_value(process.run_next(askers, ended.get_token())));
    EXPECT_EQ(job(made.id).state, JobState::running);
    EXPECT_TRUE(evidence().empty());
  }
  askers.before = [](std::string_view) { return Status(Done{}); };
  askers.asked = 0;
  Evaluations process = another();
  TestHub::require(process.resume());
  EXPECT_TRUE(TestHub::require_value(process.run_next(askers, stop.get_token())));
  EXPECT_EQ(job(made.id).state, JobState::done);
  EXPECT_EQ(job(made.id).attempts, 3);
  EXPECT_EQ(askers.asked, 4U);
  EXPECT_EQ(evidence().size(), 1U);

  const EvaluationJob doomed = started();
  TestHub::require(t.hub.database().write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(
        tx.run("UPDATE govern_evaluations SET state = 'running', attempts = 3 WHERE id = ?", {doomed.id}));
    return Done{};
  }));
  TestHub::require(process.resume());
  EXPECT_EQ(job(doomed.id).state, JobState::failed);
  EXPECT_NE(job(doomed.id).why.find("each time"), std::string::npos);
  started();  // And it can be started again.
}

TEST_F(EvaluationsTest, AModelThatIsLoadedIsWaitedForAndAWrongOneFailsWithItsReason) {
  t.set_criteria();
  size_t tries = 0;
  askers.before = [&](std::string_view) -> Status {
    if (++tries == 1) return fail(Reason::model_loading, "being loaded");
    return Done{};
  };
  const EvaluationJob patient = started();
  EXPECT_TRUE(run());
  EXPECT_EQ(job(patient.id).state, JobState::done);
  askers.before = [](std::string_view) { return Status(fail(Reason::model_unsupported, "no classifier")); };
  const EvaluationJob wrong = started();
  EXPECT_TRUE(run());
  EXPECT_EQ(job(wrong.id).why, "no classifier");
  askers.before = [](std::string_view) { return Status(fail(Code::internal, "/srv/holdfast/secret")); };
  const EvaluationJob ours = started();
  EXPECT_TRUE(run());
  EXPECT_EQ(job(ours.id).why.find("/srv"), std::string::npos);
  askers.before = [](std::string_view) { return Status(Done{}); };
  askers.classes = {"x", "y"};
  const EvaluationJob strange = started();
  EXPECT_TRUE(run());
  EXPECT_NE(job(strange.id).why.find("no class 'a'"), std::string::npos);
  files.files = {{"other.csv", "text,label\n"}};
  const EvaluationJob empty = started();
  EXPECT_TRUE(run());
  EXPECT_NE(job(empty.id).why.find("no split test"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::govern
