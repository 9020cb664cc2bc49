#include <gtest/gtest.h>

#include "git/refs.h"
#include "repo/creation.h"
#include "repo/hub_test_kit.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

TEST(RepositoryNames, FollowTheClientsRules) {
  struct Case {
    const char* why;
    std::string name;
    bool good;
  };
  const std::vector<Case> cases = {
      {"plain", "engine", true},
      {"leading underscores", "__DUMMY__", true},
      {"dots inside", "v1.0", true},
      {"two hyphens", "a--b", false},
      {"two dots", "a..b", false},
      {"ends in .git", "a.git", false},
      {"a notebook", "a.ipynb", false},
      {"starts with a dot", ".a", false},
      {"ends with a hyphen", "a-", false},
      {"empty", "", false},
      {"a slash", "a/b", false},
      {"a space", "a b", false},
      {"96 characters", std::string(96, 'a'), true},
      {"97 characters", std::string(97, 'a'), false},
  };
  for (const Case& each : cases) EXPECT_EQ(check_repo_name(each.name).ok(), each.good) << each.why;
}

TEST(Repositories, APlaceIsTakenWhateverItsCase) {
  TestHub hub;
  hub.create("ada", "ada/Engine");
  const auto again = hub.hub().repositories.create(
      hub.caller("ada"),
      {.type = RepoType::model, .ns = "ada", .name = "engine", .visibility = {}, .sdk = ""});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::already_exists);
  EXPECT_TRUE(TestHub::require_value(hub.hub().repositories.find(RepoType::model, "ADA", "eNgine")));
  EXPECT_FALSE(TestHub::require_value(hub.hub().repositories.find(RepoType::dataset, "ada", "Engine")));
}

TEST(Repositories, ForeignNamespacesAreForbidden) {
  TestHub hub;
  const auto create = [&](const char* user, const char* ns, identity::TokenRole role) {
    return hub.hub()
        .repositories
        .create(hub.caller(user, role),
                {.type = RepoType::model, .ns = ns, .name = "engine", .visibility = {}, .sdk = ""})
        .ok();
  };
  EXPECT_FALSE(create("bob", "ada", identity::TokenRole::write));
  EXPECT_FALSE(create("ada", "ada", identity::TokenRole::read));
  EXPECT_FALSE(create("rea", "lab", identity::TokenRole::write));
  EXPECT_TRUE(create("cleo", "lab", identity::TokenRole::write));
}

TEST(Repositories, AMovedOneIsFoundAtItsOldPlaceUntilThatIsTaken) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/old");
  hub.create("ada", "ada/taken");
  const RepoName taken{.type = RepoType::model, .ns = "ada", .name = "taken"};
  const auto refused = hub.hub().repositories.move(ada, model, taken);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "A model repository called ada/taken already exists");
  TestHub::require_value(
      hub.hub().repositories.move(ada, model, {.type = RepoType::model, .ns = "lab", .name = "new"}));
  const auto moved = TestHub::require_value(hub.hub().repositories.find_moved(RepoType::model, "ada", "old"));
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->full_name(), "lab/new");
  hub.create("ada", "ada/old");
  EXPECT_FALSE(TestHub::require_value(hub.hub().repositories.find_moved(RepoType::model, "ada", "old")));
}

TEST(Repositories, DeletingTakesRowsAndFiles) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  const io::Path folder = hub.hub().storage.folder(model.id);
  EXPECT_TRUE(std::filesystem::exists(folder));
  TestHub::require(hub.hub().repositories.remove(ada, model));
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(TestHub::require_value(hub.hub().repositories.find(model.id)));
  EXPECT_TRUE(TestHub::require_value(hub.hub().publisher.refs(model.id)).empty());
}

TEST(Repositories, NobodySeesOneBeforeItsFirstContent) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  Repositories& all = hub.hub().repositories;
  const NewRepository wish{.type = RepoType::model, .ns = "ada", .name = "engine", .sdk = ""};
  const CreationParts parts{.database = hub.database(),
                            .storage = hub.hub().storage,
                            .publisher = hub.hub().publisher,
                            .repositories = all,
                            .rights = hub.hub().rights,
                            .audit = hub.audit(),
                            .clock = hub.clock()};
  RepoId id;
  const auto content = [&](const Repository& repository, git::Repository&) -> Result<Publication> {
    id = repository.id;
    EXPECT_FALSE(TestHub::require_value(all.find(id)));
    EXPECT_FALSE(TestHub::require_value(all.find(RepoType::model, "ada", "engine")));
    return fail(Reason::policy_refused, "not so");
  };
  EXPECT_EQ(create_repository(parts, ada, wish, content).error().reason, Reason::policy_refused);
  EXPECT_FALSE(std::filesystem::exists(hub.hub().storage.folder(id))) << "its objects stay behind";
  // A second who comes first.
  const auto slower = [&](const Repository& repository, git::Repository&) -> Result<Publication> {
    id = repository.id;
    hub.create("ada", "ada/engine");
    return Publication{.kind = "first_commit", .moves = {}, .files = {}, .more = {}};
  };
  EXPECT_EQ(create_repository(parts, ada, wish, slower).error().reason, Reason::already_exists);
  EXPECT_FALSE(std::filesystem::exists(hub.hub().storage.folder(id)));
  const Repository engine = *TestHub::require_value(all.find(RepoType::model, "ada", "engine"));
  EXPECT_NE(engine.id, id);
  EXPECT_TRUE(TestHub::require_value(hub.hub().publisher.ref(engine.id, main_ref)));
  EXPECT_EQ(all.create(ada, wish).error().reason, Reason::already_exists);
}

TEST(Repositories, WhatACrashLeftBeforeTheFirstContentIsSwept) {
  TestHub hub;
  const Repository model = hub.create("ada", "ada/engine");
  Storage& storage = hub.hub().storage;
  const RepoId unborn{model.id.raw + 256}, removed{model.id.raw + 1};
  TestHub::require_value(TestHub::require_value(storage.create(unborn)).write_blob(as_bytes("text")));
  // Had refs once: nobody knows whose it was.
  const auto old = TestHub::require_value(storage.create(removed));
  const auto blob = TestHub::require_value(old.write_blob(as_bytes("text")));
  TestHub::require(git::set_ref(old, "refs/tags/v1", blob));
  EXPECT_EQ(TestHub::require_value(sweep_unborn(hub.disk(), storage, hub.hub().repositories)), 1U);
  EXPECT_FALSE(std::filesystem::exists(storage.folder(unborn)));
  EXPECT_TRUE(std::filesystem::exists(storage.folder(removed)));
  EXPECT_TRUE(std::filesystem::exists(storage.folder(model.id)));
  EXPECT_EQ(TestHub::require_value(sweep_unborn(hub.disk(), storage, hub.hub().repositories)), 0U);
}

TEST(Repositories, RefsOnDiskAreRepairedFromSql) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  TestHub::require_value(hub.commit(ada, model, "a.txt", "one"));
  const auto objects = TestHub::require_value(hub.hub().storage.open(model.id));
  const git::ObjectId truth = *TestHub::require_value(hub.hub().publisher.ref(model.id, main_ref));
  const git::Commit head = TestHub::require_value(objects.commit(truth));
  // As after a crash between the transaction and the projection.
  TestHub::require(git::set_ref(objects, main_ref, head.parents.front()));
  TestHub::require(git::set_ref(objects, "refs/heads/never-decided", truth));
  EXPECT_GE(TestHub::require_value(hub.hub().publisher.repair()), 1U);
  EXPECT_EQ(TestHub::require_value(git::read_ref(objects, main_ref)), truth);
  EXPECT_FALSE(TestHub::require_value(git::read_ref(objects, "refs/heads/never-decided")));
}

TEST(Branches, SayWhatTheClientsMatch) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  Branches& branches = hub.hub().branches;
  const auto named = [](const char* name) { return NewBranch{.name = name, .starting_point = {}}; };
  TestHub::require(branches.create(ada, model, named("dev")));
  EXPECT_EQ(branches.create(ada, model, named("dev")).error().message,
            "Reference refs/heads/dev already exists");
  EXPECT_EQ(branches.create(ada, model, named("refs/pr/5")).error().reason, Reason::bad_request);
  EXPECT_EQ(branches.remove(ada, model, "main").error().message, "Cannot delete refs/heads/main");
  EXPECT_EQ(branches.remove(ada, model, "nowhere").error().message, "Invalid rev id: nowhere");
  TestHub::require(branches.create_tag(ada, model, "main", "v1"));
  EXPECT_EQ(branches.create_tag(ada, model, "main", "v1").error().reason, Reason::already_exists);
  EXPECT_EQ(branches.create_tag(ada, model, "main", "not valid").error().code, Code::invalid);
  EXPECT_EQ(branches.remove(ada, model, "v1").error().reason, Reason::revision_not_found);
  TestHub::require(branches.create(ada, model, named("v1")));  // A branch may bear a tag's name.
  TestHub::require(branches.remove_tag(ada, model, "v1"));
  EXPECT_EQ(branches.remove_tag(ada, model, "v1").error().reason, Reason::revision_not_found);
}

TEST(Branches, ASquashLeavesOneCommitWithTheSameTree) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  TestHub::require_value(hub.commit(ada, model, "a.txt", "one"));
  TestHub::require_value(hub.commit(ada, model, "a.txt", "two"));
  const auto objects = TestHub::require_value(hub.hub().storage.open(model.id));
  const auto head = [&] {
    return TestHub::require_value(
        objects.commit(*TestHub::require_value(hub.hub().publisher.ref(model.id, main_ref))));
  };
  const git::Commit before = head();
  TestHub::require(hub.hub().branches.squash(ada, model, "main", "squashed"));
  EXPECT_TRUE(head().parents.empty());
  EXPECT_EQ(head().tree, before.tree);
  EXPECT_EQ(head().title(), "squashed");
}

TEST(Search, ListsOnlyWhatTheCallerMaySee) {
  TestHub hub;
  const auto ada = hub.caller("ada"), bob = hub.caller("bob");
  hub.create("ada", "ada/public-engine");
  hub.create("ada", "ada/private-engine", Visibility::private_);
  const Repository tagged = hub.create("ada", "ada/tagged");
  TestHub::require_value(hub.commit(ada, tagged, "README.md",
                                    "---\nlicense: mit\ntags: [rocket]\nlibrary_name: engine\n"
                                    "pipeline_tag: text-classification\n---\n# Hi\n"));
  const auto names = [&](const identity::Caller& who, SearchQuery query) {
    std::vector<std::string> out;
    for (const SearchHit& hit : TestHub::require_value(hub.hub().search.find(who, query)).hits)
      out.push_back(hit.repository.name);
    std::sort(out.begin(), out.end());
    return out;
  };
  using Names = std::vector<std::string>;
  SearchQuery query;
  query.author = "ADA";
  EXPECT_EQ(names(ada, query), (Names{"private-engine", "public-engine", "tagged"}));
  EXPECT_EQ(names(bob, query), (Names{"public-engine", "tagged"}));
  EXPECT_EQ(names({}, query), (Names{"public-engine", "tagged"}));
  query.words = {"ENGINE"};
  EXPECT_EQ(names(bob, query), (Names{"public-engine"}));
  query.words = {"%"};
  EXPECT_EQ(names(bob, query), Names{});
  query.words.clear();
  query.tags = {"rocket", "license:mit"};
  EXPECT_EQ(names(bob, query), (Names{"tagged"}));
  query.tags.clear();
  query.pipeline = "text-classification";
  EXPECT_EQ(names(bob, query), (Names{"tagged"}));
}

TEST(Search, PagesCoverEverythingOnce) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  for (int i = 0; i < 7; ++i)
    hub.create("ada", "ada/model" + std::to_string(i),
               i % 3 == 0 ? Visibility::private_ : Visibility::public_);
  SearchQuery query;
  query.count_max = 2;
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10; ++pages) {
    const SearchPage page = TestHub::require_value(hub.hub().search.find(hub.caller("bob"), query));
    for (const SearchHit& hit : page.hits) seen.push_back(hit.repository.name);
    if (page.next.empty()) break;
    query.after = page.next;
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::string>{"model1", "model2", "model4", "model5"}));
}

TEST(Audience, AGateLetsInWhoWasAccepted) {
  TestHub hub;
  const auto ada = hub.caller("ada"), bob = hub.caller("bob");
  Repository model = hub.create("ada", "ada/gated");
  TestHub::require(hub.hub().repositories.change(ada, model, {.visibility = {}, .gate = Gate::manual}));
  model = *TestHub::require_value(hub.hub().repositories.find(model.id));
  const auto reads = [&](const identity::Caller& who) {
    return TestHub::require_value(hub.hub().rights.may_read_files(who, model));
  };
  EXPECT_TRUE(reads(ada));
  EXPECT_FALSE(reads(bob));
  EXPECT_FALSE(reads({}));
  Audience& audience = hub.hub().audience;
  EXPECT_EQ(TestHub::require_value(audience.ask(bob, model)), GateStatus::pending);
  EXPECT_FALSE(reads(bob));
  TestHub::require(audience.handle(model.id, "bob", GateStatus::accepted));
  EXPECT_TRUE(reads(bob));
  EXPECT_FALSE(audience.handle(model.id, "bob", GateStatus::accepted).ok());
  EXPECT_FALSE(audience.grant(model.id, "bob").ok());
}

}  // namespace
}  // namespace holdfast::repo
