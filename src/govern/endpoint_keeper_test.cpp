#include "govern/endpoint_keeper.h"

#include <gtest/gtest.h>

#include <set>

#include "govern/registry_fixture.h"

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

}  // namespace
}  // namespace holdfast::govern
