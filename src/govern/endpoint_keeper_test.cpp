#include "govern/endpoint_keeper.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "govern/registry_fixture.h"
#include "serve/schema.h"

namespace holdfast::govern {
namespace {

// Loads at once, and tells what is loaded.
class FixedModels final : public serve::Models {
 public:
  std::set<std::string> commits;

  Result<serve::EmbedAnswer> embed(const Context&, const serve::ServedModel&, serve::EmbedItem,
                                   const serve::Asker&) override {
    return fail(Reason::not_offered, "not in this test");
  }
  Status generate(const Context&, const serve::ServedModel&, serve::Generation,
                  const serve::Asker&) override {
    return fail(Reason::not_offered, "not in this test");
  }
  Result<serve::WorkerFacts> facts(const Context&, const serve::ServedModel& model,
                                   const serve::Asker&) override {
    commits.insert(model.commit);
    return serve::WorkerFacts();
  }
  Result<Place> enter(const serve::Asker&) override { return Place(); }
  std::vector<serve::ServedModel> loaded() const override { return {}; }
  bool unload(const serve::ServedModel& model) override { return commits.erase(model.commit) > 0; }
  void refresh_figures() override {}
};

class EndpointKeeperTest : public ::testing::Test {
 protected:
  std::string commit(const std::string& content) {
    return TestHub::require_value(t.hub.commit(t.ada, t.model, "config.json", content)).commit.hex();
  }
  Endpoint seen() { return TestHub::require_value(t.registry->endpoints.find(t.ada, "lab/search")); }
  void round() { TestHub::require(keeper.run_round({})); }

  TestRegistry t;
  FixedModels models;
  EndpointKeeper keeper{{t.registry->endpoints, models, t.hub.clock(), t.hub.log()}};
};

TEST_F(EndpointKeeperTest, ARequestOnItsWayAtASwitchFindsTheModelFromBefore) {
  const std::string first = commit("{\"n\": 1}");
  NewEndpoint wish{.ns = "lab", .name = "search", .model = "lab/intents", .revision = first};
  wish.settings = EndpointSettings{.replicas_min = 1};
  TestHub::require_value(t.registry->endpoints.create(t.ada, wish));
  round();
  ASSERT_EQ(seen().state, EndpointState::running);

  const std::string second = commit("{\"n\": 2}");
  EndpointChange change;
  change.revision = second;
  TestHub::require_value(t.registry->endpoints.update(t.ada, "lab/search", change));
  EXPECT_EQ(keeper.standing(seen()).revision, first) << "nobody is sent to what is not loaded";
  round();
  EXPECT_EQ(keeper.standing(seen()).revision, second);
  round();
  EXPECT_EQ(models.commits, (std::set<std::string>{first, second}))
      << "who was told the first revision asks now";

  t.hub.clock().advance(std::chrono::seconds(6));
  round();
  EXPECT_EQ(models.commits, std::set<std::string>{second});
}

// Remembers what each model is to keep.
class KeepingModels final : public serve::Models {
 public:
  std::map<std::string, serve::Replicas> kept;

  Result<serve::EmbedAnswer> embed(const Context&, const serve::ServedModel&, serve::EmbedItem,
                                   const serve::Asker&) override {
    return fail(Reason::not_offered, "not in this test");
  }
  Status generate(const Context&, const serve::ServedModel&, serve::Generation,
                  const serve::Asker&) override {
    return fail(Reason::not_offered, "not in this test");
  }
  Result<serve::WorkerFacts> facts(const Context&, const serve::ServedModel&, const serve::Asker&) override {
    return serve::WorkerFacts();
  }
  Result<Place> enter(const serve::Asker&) override { return Place(); }
  std::vector<serve::ServedModel> loaded() const override { return {}; }
  Status keep(const serve::ServedModel& model, const serve::Replicas& wish) override {
    kept[model.commit] = wish;
    return Done{};
  }
  void refresh_figures() override {}
};

TEST_F(EndpointKeeperTest, WorkersAreLoadedWhenTheirHoursBeginAndGoWhenNobodyAsksAfterThem) {
  const std::vector<sql::Migration> steps(serve::migrations().begin(), serve::migrations().end());
  TestHub::require(sql::migrate(t.hub.database(), steps, 1));
  const auto zones = io::make_memory_disk();
  const auto schedules = TestHub::require_value(serve::WarmSchedules::open(t.hub.database(), *zones));
  KeepingModels counted;
  EndpointKeeper timed({.endpoints = t.registry->endpoints,
                        .models = counted,
                        .clock = t.hub.clock(),
                        .log = t.hub.log(),
                        .schedules = schedules.get()});
  const std::string first = commit("{\"n\": 1}");
  NewEndpoint wish{.ns = "lab", .name = "search", .model = "lab/intents", .revision = first};
  wish.settings = EndpointSettings{.replicas_min = 0, .replicas_max = 1, .idle_minutes = 10};
  TestHub::require_value(t.registry->endpoints.create(t.ada, wish));
  const auto at_least = [&] {
    TestHub::require(timed.run_round({}));
    return counted.kept[first].least;
  };
  EXPECT_EQ(at_least(), 0U);
  TestHub::require_value(t.registry->endpoints.scale_to_zero(t.ada, "lab/search"));
  EXPECT_EQ(at_least(), 0U);
  // From the next full hour on, for two hours, on every day.
  const auto now = serve::local_time("UTC0", t.hub.clock().wall()).value();
  const int hour = (now.minute / 60 + 1) % 24;
  TestHub::require(schedules->set("lab/search", {{.weekdays = 127,
                                                  .from = hour * 60,
                                                  .until = (hour + 2) % 24 * 60,
                                                  .time_zone = "UTC",
                                                  .rule = "UTC0",
                                                  .replicas = 3}}));
  EXPECT_EQ(at_least(), 0U);
  EXPECT_EQ(seen().state, EndpointState::scaled_to_zero);
  t.hub.clock().advance(std::chrono::minutes(60 - now.minute % 60));
  TestHub::require(timed.run_round({}));  // It wakes,
  EXPECT_EQ(at_least(), 3U);
  EXPECT_EQ(counted.kept[first].most, 3U);
  EXPECT_EQ(at_least(), 3U);
  EXPECT_EQ(seen().state, EndpointState::running);
  t.hub.clock().advance(std::chrono::minutes(119));  // stays without being asked,
  EXPECT_EQ(at_least(), 3U);
  EXPECT_EQ(seen().state, EndpointState::running);
  t.hub.clock().advance(std::chrono::minutes(1));  // and rests again.
  EXPECT_EQ(at_least(), 0U);
  t.hub.clock().advance(std::chrono::minutes(11));
  (void)at_least();
  EXPECT_EQ(seen().state, EndpointState::scaled_to_zero);
}

}  // namespace
}  // namespace holdfast::govern
