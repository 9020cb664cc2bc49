#include "repo/tombstones.h"

#include <gtest/gtest.h>

#include "repo/comparison.h"
#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

std::optional<Tombstone> at(TestHub& hub, const std::string& name) {
  return TestHub::require_value(find_tombstone(hub.database(), RepoType::model, "lab", name));
}

size_t told(TestHub& hub, std::string_view action, std::string_view subject) {
  size_t count = 0;
  for (const auto& row : TestHub::require_value(hub.audit().list(hub.database(), 0, 10'000)))
    count += row.action == action && row.subject == subject ? 1 : 0;
  return count;
}

TEST(Tombstones, StandWhereARepositoryWasAndWhereItHadBeenBefore) {
  TestHub hub;
  const identity::Caller ada = hub.caller("ada");
  const Repository engine = hub.create("ada", "lab/engine");
  EXPECT_FALSE(at(hub, "engine"));
  const Repository moved =
      TestHub::require_value(hub.hub().repositories.move(ada, engine, {RepoType::model, "lab", "motor"}));
  EXPECT_FALSE(at(hub, "engine")) << "the old name leads to the new one";
  TestHub::require(hub.hub().repositories.remove(ada, moved));
  for (const char* name : {"engine", "motor", "MOTOR"}) {
    const auto found = at(hub, name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->was.full_name(), "lab/motor");
    EXPECT_EQ(found->by, "ada");
  }
  EXPECT_EQ(TestHub::require_value(tombstones(hub.database())).size(), 2U);
  hub.create("ada", "lab/engine");
  EXPECT_FALSE(at(hub, "engine")) << "somebody is there again";
  EXPECT_TRUE(at(hub, "motor"));
  const Repository other = hub.create("ada", "lab/other");
  TestHub::require_value(hub.hub().repositories.move(ada, other, {RepoType::model, "lab", "motor"}));
  EXPECT_FALSE(at(hub, "motor"));
}

TEST(Tombstones, WhoseCardNamesWhatIsDeletedIsTold) {
  TestHub hub;
  const identity::Caller ada = hub.caller("ada");
  const Repository base = hub.create("ada", "lab/base"), tuned = hub.create("ada", "lab/tuned");
  TestHub::require_value(
      hub.commit(ada, tuned, "README.md", "---\nlicense: mit\nbase_model: lab/base\n---\n"));
  EXPECT_EQ(told(hub, "mirror.dependency_changed", "model:lab/tuned"), 0U);
  TestHub::require(hub.hub().repositories.remove(ada, base));
  EXPECT_EQ(told(hub, "mirror.dependency_changed", "model:lab/tuned"), 1U);
  EXPECT_EQ(told(hub, "repo.deleted", "model:lab/base"), 1U);
}

TEST(Tombstones, WhatIsRetiredIsThereForBoundTokensAloneUntilItGoes) {
  TestHub hub;
  const identity::Caller ada = hub.caller("ada");
  const Repository engine = hub.create("ada", "lab/engine");
  TestHub::require_value(hub.commit(ada, engine, "a.txt", "text"));
  TestHub::require(hub.hub().repositories.retire(ada, engine));
  const auto kept = TestHub::require_value(hub.hub().repositories.find(engine.id));
  ASSERT_TRUE(kept && kept->deleted && !kept->disabled);
  identity::Caller bound = hub.caller("rea");
  bound.environment = "production";
  EXPECT_FALSE(hub.hub().rights.may_find(ada, *kept));
  EXPECT_TRUE(hub.hub().rights.may_see(ada, *kept));
  EXPECT_TRUE(hub.hub().rights.may_find(bound, *kept));
  SearchQuery query;
  EXPECT_TRUE(TestHub::require_value(hub.hub().search.find(ada, query)).hits.empty());
  EXPECT_EQ(TestHub::require_value(hub.hub().repositories.retired()).size(), 1U);
  EXPECT_TRUE(at(hub, "engine"));
  TestHub::require(hub.hub().repositories.remove(ada, *kept));
  EXPECT_FALSE(TestHub::require_value(hub.hub().repositories.find(engine.id)));
  EXPECT_TRUE(at(hub, "engine"));
  EXPECT_EQ(told(hub, "repo.deleted", "model:lab/engine"), 1U) << "told once";
}

TEST(Comparison, FlagsWhatOthersRelyOn) {
  TestHub hub;
  const identity::Caller ada = hub.caller("ada");
  const Repository engine = hub.create("ada", "lab/engine");
  const auto first = TestHub::require_value(
      hub.commit(ada, engine, "README.md", "---\nlicense: mit\n---\n# Engine\n## Uses\nRoads\n"));
  auto draft = TestHub::require_value(hub.hub().commits.begin(ada, engine));
  TestHub::require(
      draft->put_file("README.md", as_bytes("---\nlicense: cc-by-nc-4.0\n---\n# Engine\n## Uses\nRails\n")));
  TestHub::require(draft->put_file("tokenizer.json", as_bytes("{}")));
  const auto second =
      TestHub::require_value(draft->finish({.revision = "main", .parent_commit = "", .summary = "both"}));
  const auto third = TestHub::require_value(hub.commit(ada, engine, "notes.txt", "one"));
  const auto objects = TestHub::require_value(hub.hub().storage.open(engine.id));
  const auto both = TestHub::require_value(compare_revisions(objects, first.commit, second.commit));
  EXPECT_EQ(both.flags, (std::vector<std::string>{"card", "license", "tokenizer"}));
  EXPECT_EQ(both.files.entries.size(), 2U);
  ASSERT_EQ(both.card.size(), 2U);
  EXPECT_EQ(both.card[0].name, "license");
  EXPECT_NE(both.card[1].name.find("Uses"), std::string::npos) << both.card[1].name;
  EXPECT_TRUE(TestHub::require_value(compare_revisions(objects, second.commit, third.commit)).flags.empty());
  const auto whole = TestHub::require_value(compare_revisions(objects, {}, third.commit));
  EXPECT_EQ(whole.flags, (std::vector<std::string>{"card", "license", "tokenizer"}));
}

}  // namespace
}  // namespace holdfast::repo
