#include "repo/collections.h"

#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

class CollectionsTest : public ::testing::Test {
 protected:
  Collections& collections() { return hub_.hub().collections; }
  Collection make(const std::string& user, const std::string& owner, const std::string& title,
                  Visibility visibility = Visibility::public_) {
    return TestHub::require_value(collections().create(
        hub_.caller(user), {.owner = owner, .title = title, .description = {}, .visibility = visibility}));
  }
  std::vector<std::string> names(const std::string& user, const std::string& slug) {
    std::vector<std::string> out;
    for (const CollectionItem& item :
         TestHub::require_value(collections().find(hub_.caller(user), slug)).items)
      out.push_back(item.name);
    return out;
  }
  size_t seen(const identity::Caller& caller, CollectionQuery query) {
    return TestHub::require_value(collections().list(caller, query)).size();
  }
  TestHub hub_;
};

TEST_F(CollectionsTest, ASlugIsTheTitleInPlainLettersAndTheIdItKeeps) {
  const Collection made = make("ada", "ada", "  Été: My COOL -- stuff! ");
  EXPECT_EQ(made.slug(), "ada/t-my-cool-stuff-" + made.id);
  const auto changed = TestHub::require_value(
      collections().change(hub_.caller("ada"), made.slug(), {.title = "Other", .theme = "pink"}));
  EXPECT_EQ(changed.slug(), "ada/other-" + made.id);
  for (const std::string& slug : {made.slug(), changed.slug()})
    EXPECT_EQ(TestHub::require_value(collections().find(hub_.caller("bob"), slug)).title, "Other");
}

TEST_F(CollectionsTest, WhoMayWriteInTheNamespaceMayChangeAndContributorsTheirOwn) {
  const Collection of_lab = make("ada", "lab", "of the lab"), of_cleo = make("cleo", "lab", "of cleo");
  for (const char* user : {"bob", "rea", "cleo"}) {
    const auto refused = collections().change(hub_.caller(user), of_lab.slug(), {.title = "taken"});
    ASSERT_FALSE(refused.ok()) << user;
    EXPECT_EQ(refused.error().reason, Reason::forbidden) << user;
  }
  EXPECT_TRUE(collections().change(hub_.caller("cleo"), of_cleo.slug(), {.title = "still of cleo"}).ok());
  EXPECT_FALSE(
      collections()
          .change(hub_.caller("ada", identity::TokenRole::read), of_lab.slug(), {.title = "by a read token"})
          .ok());
  for (const char* user : {"bob", "rea"})
    EXPECT_FALSE(collections().create(hub_.caller(user), {.owner = "lab", .title = "theirs"}).ok()) << user;
}

TEST_F(CollectionsTest, APrivateOneIsMissingToOthersEverywhere) {
  const Collection hidden = make("ada", "lab", "hidden", Visibility::private_);
  for (const char* user : {"bob"}) {
    const auto refused = collections().find(hub_.caller(user), hidden.slug());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::not_found);
    EXPECT_EQ(refused.error().message,
              collections().find(hub_.caller(user), "lab/none-000000000000000000000000").error().message);
    EXPECT_EQ(collections().remove(hub_.caller(user), hidden.slug()).error().code, Code::not_found);
    EXPECT_EQ(seen(hub_.caller(user), {.owners = {"lab"}}), 0U);
    EXPECT_FALSE(
        TestHub::require_value(collections().find_titled(hub_.caller(user), "lab", "hidden")).has_value());
  }
  EXPECT_EQ(seen(identity::Caller{}, {}), 0U);
  EXPECT_EQ(seen(hub_.caller("rea"), {.owners = {"lab"}}), 1U);
}

TEST_F(CollectionsTest, ItemsFollowRepositoriesAndAreSeenByThoseWhoSeeThem) {
  const Collection shelf = make("ada", "lab", "shelf");
  const auto ada = hub_.caller("ada");
  const Repository open = hub_.create("ada", "lab/open"),
                   closed = hub_.create("ada", "lab/closed", Visibility::private_);
  TestHub::require_value(collections().add(ada, shelf.slug(), "model", "lab/open", "the first"));
  TestHub::require_value(collections().add(ada, shelf.slug(), "model", "lab/closed", ""));
  TestHub::require_value(collections().add(ada, shelf.slug(), "paper", "2307.09288", ""));
  EXPECT_EQ(names("ada", shelf.slug()), (std::vector<std::string>{"lab/open", "lab/closed", "2307.09288"}));
  EXPECT_EQ(names("bob", shelf.slug()), (std::vector<std::string>{"lab/open", "2307.09288"}));
  EXPECT_EQ(seen(hub_.caller("bob"), {.items = {"models/lab/open"}}), 1U);
  EXPECT_EQ(seen(hub_.caller("bob"), {.items = {"models/lab/closed"}}), 0U);
  EXPECT_EQ(seen(hub_.caller("bob"), {.items = {"papers/2307.09288"}}), 1U);
  const auto again = collections().add(ada, shelf.slug(), "model", "LAB/Open", "");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::already_exists);
  TestHub::require_value(
      hub_.hub().repositories.move(ada, open, {.type = RepoType::model, .ns = "ada", .name = "moved"}));
  EXPECT_EQ(names("bob", shelf.slug()).at(0), "ada/moved");
  TestHub::require(hub_.hub().repositories.remove(ada, closed));
  EXPECT_EQ(names("ada", shelf.slug()), (std::vector<std::string>{"ada/moved", "2307.09288"}));
}

TEST_F(CollectionsTest, NobodyAddsWhatTheyCannotSee) {
  hub_.create("ada", "lab/closed", Visibility::private_);
  const Collection own = make("bob", "bob", "own"),
                   hidden = make("ada", "ada", "hidden", Visibility::private_);
  const auto bob = hub_.caller("bob");
  for (const auto& [type, name] : {std::pair("model", std::string("lab/closed")),
                                   {"model", "lab/never"},
                                   {"collection", hidden.slug()}}) {
    const auto refused = collections().add(bob, own.slug(), type, name, "");
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, Code::not_found) << name;
  }
  for (const auto& [type, name] :
       {std::pair("bucket", "bob/b"), {"paper", "../../etc"}, {"model", "nameless"}})
    EXPECT_FALSE(collections().add(bob, own.slug(), type, name, "").ok()) << name;
  EXPECT_FALSE(collections().add(bob, own.slug(), "collection", own.slug(), "").ok());
}

TEST_F(CollectionsTest, ItemsMoveAndAreRemovedByTheirIds) {
  const Collection shelf = make("ada", "ada", "shelf");
  const auto ada = hub_.caller("ada");
  for (const char* paper : {"1", "2", "3"})
    TestHub::require_value(collections().add(ada, shelf.slug(), "paper", paper, ""));
  const auto items = TestHub::require_value(collections().find(ada, shelf.slug())).items;
  TestHub::require(collections().change_item(ada, shelf.slug(), items[0].id, "now the last", 99));
  EXPECT_EQ(names("ada", shelf.slug()), (std::vector<std::string>{"2", "3", "1"}));
  TestHub::require(collections().remove_item(ada, shelf.slug(), items[1].id));
  EXPECT_EQ(names("ada", shelf.slug()), (std::vector<std::string>{"3", "1"}));
  EXPECT_EQ(collections().remove_item(ada, shelf.slug(), items[1].id).error().code, Code::not_found);
  EXPECT_EQ(TestHub::require_value(collections().find(ada, shelf.slug())).items[1].note, "now the last");
  TestHub::require(collections().remove(ada, shelf.slug()));
  EXPECT_FALSE(collections().find(ada, shelf.slug()).ok());
}

TEST_F(CollectionsTest, BadWishesAreRefusedAndLeaveNothing) {
  const auto ada = hub_.caller("ada");
  for (const std::string& title : {std::string(), std::string("  "), std::string(241, 'x')})
    EXPECT_FALSE(collections().create(ada, {.owner = "ada", .title = title}).ok()) << title;
  make("ada", "ada", "once");
  EXPECT_EQ(collections().create(ada, {.owner = "ada", .title = "once"}).error().reason,
            Reason::already_exists);
  EXPECT_EQ(seen(ada, {}), 1U);
  for (const char* slug : {"", "ada", "ada/once", "ada/once-xyz", "' OR 1=1 --"})
    EXPECT_FALSE(collections().find(ada, slug).ok()) << slug;
}

}  // namespace
}  // namespace holdfast::repo
