#include "observe/prober.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "govern/registry_fixture.h"
#include "govern/release_asker.h"
#include "sql/database.h"

namespace holdfast::observe {
namespace {

using govern::Release;
using govern::TestRegistry;
using repo::TestHub;

// Says what it was told to, and who was asked.
class ToldAskers final : public govern::ReleaseAskers {
 public:
  std::string label = "billing";
  std::vector<std::pair<int64_t, std::string>> asked;
  std::stop_source stop;
  size_t stop_after = 1000;

  Result<std::unique_ptr<govern::ReleaseAsker>> open(const Release& release,
                                                     const identity::Caller& caller) override {
    EXPECT_EQ(caller.name, "(probe)");
    return std::unique_ptr<govern::ReleaseAsker>(std::make_unique<One>(*this, release.number));
  }

 private:
  class One final : public govern::ReleaseAsker {
   public:
    One(ToldAskers& all, int64_t release) : all_(all), release_(release) {}
    Result<govern::AskedRow> ask(const Context&, std::string_view text) override {
      all_.asked.emplace_back(release_, text);
      if (all_.asked.size() >= all_.stop_after) all_.stop.request_stop();
      if (all_.label.empty()) return fail(Reason::worker_failed, "gone");
      return govern::AskedRow{.answer = {.predicted = all_.label, .confidence = 1, .milliseconds = 250}};
    }

   private:
    ToldAskers& all_;
    const int64_t release_;
  };
};

struct ProberTest : ::testing::Test {
  ProberTest() { world.ready(); }

  void add_golden(const std::string& input) {
    const auto sealed = TestHub::require_value(world.registry->keys.seal(govern::DataClass::internal, input));
    TestHub::require(world.hub.database().write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(
          tx.run("INSERT INTO govern_golden (record, request, item, data_class, input, label, at) VALUES "
                 "('lab/support', ?, 0, 'internal', ?, 'billing', 0)",
                 {input, ByteView(sealed)}));
      return Done{};
    }));
  }
  void tick() { TestHub::require(prober.tick(askers.stop.get_token())); }
  double value(const std::string& name, int64_t release, const std::string& more = "") const {
    const std::string line = name + "{endpoint=\"" + names.endpoint_of("lab/support") + "\"" + more +
                             ",version=\"" + std::to_string(release) + "\"}";
    const std::string text = metrics->text();
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }

  TestRegistry world;
  Secret key{std::string(64, 'b')};
  SeriesNames names{key};
  std::unique_ptr<Metrics> metrics = make_metrics();
  ToldAskers askers;
  Prober prober{{.registry = *world.registry,
                 .askers = askers,
                 .names = names,
                 .log = world.hub.log(),
                 .metrics = *metrics}};
};

TEST_F(ProberTest, EveryVersionThatAnswersOrWaitsToIsAskedAndNoOther) {
  world.deployed("{\"n\": 1}");
  const Release waiting = world.release("{\"n\": 2}");
  world.evaluate(waiting);
  world.step(2);
  TestHub::require_value(world.registry->releases.approve(world.olga, "lab/support", 2, "owner", "fine"));
  TestHub::require_value(world.registry->releases.approve(world.rob, "lab/support", 2, "reviewer", "fine"));
  world.release("{\"n\": 3}");  // A candidate.
  tick();
  EXPECT_TRUE(askers.asked.empty()) << "there are no examples yet";
  add_golden("where is my money");
  tick();
  std::sort(askers.asked.begin(), askers.asked.end());
  EXPECT_EQ(askers.asked, (std::vector<std::pair<int64_t, std::string>>{{1, "where is my money"},
                                                                        {2, "where is my money"}}));
  EXPECT_EQ(value("holdfast_probe_answers_total", 1, ",outcome=\"right\""), 1);
  EXPECT_EQ(value("holdfast_probe_sound", 2), 1);
  EXPECT_EQ(value("holdfast_probe_answer_seconds", 1), 0.25);
  EXPECT_EQ(metrics->text().find("holdfast_serve_requests"), std::string::npos);
}

TEST_F(ProberTest, AWrongAnswerAndNoneAreToldApart) {
  world.deployed("{\"n\": 1}");
  add_golden("one");
  askers.label = "delivery";
  tick();
  EXPECT_EQ(value("holdfast_probe_answers_total", 1, ",outcome=\"wrong\""), 1);
  EXPECT_EQ(value("holdfast_probe_sound", 1), 0);
  askers.label.clear();
  tick();
  EXPECT_EQ(value("holdfast_probe_answers_total", 1, ",outcome=\"failed\""), 1);
  askers.label = "billing";
  tick();
  EXPECT_EQ(value("holdfast_probe_sound", 1), 1);
}

TEST_F(ProberTest, ManyExamplesTakeTurnsAndAStopIsObeyed) {
  world.deployed("{\"n\": 1}");
  for (int i = 0; i < 20; ++i) add_golden("text " + std::to_string(i));
  tick();
  EXPECT_EQ(askers.asked.size(), Prober::examples_a_round);
  tick();
  tick();
  std::set<std::string> seen;
  for (const auto& [release, text] : askers.asked) seen.insert(text);
  EXPECT_EQ(seen.size(), 20U);
  const size_t before = askers.asked.size();
  askers.stop_after = before + 2;
  tick();
  EXPECT_EQ(askers.asked.size(), before + 2);
}

}  // namespace
}  // namespace holdfast::observe
