#include <thread>

#include "identity/first_admin.h"
#include "identity/identity_fixture.h"

namespace holdfast::identity {
namespace {

class AccountsTest : public IdentityTest {};

TEST_P(AccountsTest, AUserIsFoundInAnySpellingOfItsName) {
  const auto made = accounts_->create_user("root", {.name = "__DUMMY_hub_User__",
                                                    .fullname = "D\xc3\xbcmmy",
                                                    .email = "d@e.org",
                                                    .kind = UserKind::administrator});
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_GT(made.value().id.raw, 0);
  const auto found = accounts_->find_user("__dummy_HUB_user__");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().name, "__DUMMY_hub_User__");
  EXPECT_EQ(found.value().fullname, "D\xc3\xbcmmy");
  EXPECT_EQ(found.value().email, "d@e.org");
  EXPECT_EQ(found.value().kind, UserKind::administrator);
  EXPECT_FALSE(found.value().has_password);
  EXPECT_EQ(found.value().created, clock_.wall());
  EXPECT_EQ(accounts_->find_user(found.value().id).value().name, found.value().name);
  EXPECT_EQ(accounts_->find_user("nobody").error().code, Code::not_found);
  EXPECT_EQ(accounts_->find_user(UserId{99}).error().code, Code::not_found);
}

TEST_P(AccountsTest, UsersAndOrganisationsShareOneSpaceOfNames) {
  user("ada");
  ASSERT_TRUE(accounts_->create_organisation("root", {.name = "Lab"}).ok());
  for (const char* taken : {"ada", "ADA", "lab", "LAB"}) {
    EXPECT_EQ(accounts_->create_user("root", {.name = taken}).error().reason, Reason::already_exists)
        << taken;
    EXPECT_EQ(accounts_->create_organisation("root", {.name = taken}).error().reason, Reason::already_exists);
  }
  EXPECT_EQ(accounts_->list_users().value().size(), 1U);
  EXPECT_EQ(accounts_->list_organisations().value().size(), 1U);
}

TEST_P(AccountsTest, WhatCannotBeANameOrTextIsRefused) {
  struct Case {
    const char* why;
    NewUser wish;
  };
  for (const auto& [why, wish] : {
           Case{"reserved", {.name = "api"}},
           Case{"reserved in another spelling", {.name = "DATASETS"}},
           Case{"slash", {.name = "a/b"}},
           Case{"control character", {.name = "a", .fullname = "a\nb"}},
           Case{"not UTF-8", {.name = "a", .fullname = "\xff"}},
           Case{"long", {.name = "a", .fullname = std::string(201, 'x')}},
           Case{"no e-mail address", {.name = "a", .email = "nobody"}},
           Case{"short password", {.name = "a", .password = Secret("1234567")}},
       })
    EXPECT_EQ(accounts_->create_user("root", wish).error().reason, Reason::bad_request) << why;
  EXPECT_TRUE(accounts_->list_users().value().empty());
}

TEST_P(AccountsTest, APasswordIsCheckedAndNeverStored) {
  const Secret password("correct horse battery");
  ASSERT_TRUE(accounts_->create_user("root", {.name = "Ada", .password = password}).ok());
  user("bob");
  EXPECT_EQ(accounts_->check_password("aDa", password).value().name, "Ada");
  EXPECT_EQ(accounts_->check_password("ada", Secret("wrong horse")).error().reason, Reason::bad_credentials);
  EXPECT_EQ(accounts_->check_password("bob", password).error().reason, Reason::bad_credentials);
  EXPECT_EQ(accounts_->check_password("nobody", password).error().reason, Reason::bad_credentials);
  ASSERT_TRUE(accounts_->set_password("root", "ada", Secret("another password")).ok());
  EXPECT_FALSE(accounts_->check_password("ada", password).ok());
  EXPECT_TRUE(accounts_->check_password("ada", Secret("another password")).ok());
  ASSERT_TRUE(accounts_->disable_user("root", "ada").ok());
  EXPECT_FALSE(accounts_->check_password("ada", Secret("another password")).ok());
  std::string stored;
  EXPECT_TRUE(database()
                  .read([&](sql::Transaction& tx) {
                    return tx.query("SELECT password FROM identity_users WHERE name_key = 'ada'", {},
                                    [&](const sql::Row& row) {
                                      stored = row.text(0);
                                      return true;
                                    });
                  })
                  .ok());
  EXPECT_TRUE(stored.starts_with("$argon2id$v=19$")) << stored;
}

TEST_P(AccountsTest, MembersComeChangeAndGo) {
  const User ada = user("ada");
  user("bob");
  ASSERT_TRUE(
      accounts_->create_organisation("root", {.name = "lab", .default_visibility = Visibility::private_})
          .ok());
  ASSERT_TRUE(accounts_->set_member("root", "LAB", "Ada", OrgRole::read).ok());
  ASSERT_TRUE(accounts_->set_member("root", "lab", "bob", OrgRole::admin).ok());
  ASSERT_TRUE(accounts_->set_member("root", "lab", "ada", OrgRole::contributor).ok());
  const auto members = accounts_->members("lab").value();
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].user, "ada");
  EXPECT_EQ(members[0].role, OrgRole::contributor);
  const auto memberships = accounts_->memberships(ada.id).value();
  ASSERT_EQ(memberships.size(), 1U);
  EXPECT_EQ(memberships[0].organisation, "lab");
  EXPECT_EQ(memberships[0].role, OrgRole::contributor);
  EXPECT_EQ(accounts_->set_member("root", "lab", "nobody", OrgRole::read).error().code, Code::not_found);
  EXPECT_EQ(accounts_->set_member("root", "nowhere", "ada", OrgRole::read).error().code, Code::not_found);
  EXPECT_TRUE(accounts_->remove_member("root", "lab", "ada").ok());
  EXPECT_EQ(accounts_->remove_member("root", "lab", "ada").error().code, Code::not_found);
  EXPECT_TRUE(accounts_->memberships(ada.id).value().empty());
}

TEST_P(AccountsTest, ANamespaceTellsItsOwnersSpellingAndDefault) {
  user("Ada");
  ASSERT_TRUE(accounts_->create_organisation("root", {.name = "Lab"}).ok());
  EXPECT_EQ(accounts_->find_namespace("ada").value().name, "Ada");
  EXPECT_EQ(accounts_->find_namespace("ada").value().kind, Namespace::Kind::user);
  EXPECT_EQ(accounts_->find_namespace("lab").value().default_visibility, Visibility::public_);
  ASSERT_TRUE(accounts_->set_default_visibility("root", "lab", Visibility::private_).ok());
  EXPECT_EQ(accounts_->find_namespace("lab").value().default_visibility, Visibility::private_);
  EXPECT_EQ(accounts_->find_namespace("lab").value().kind, Namespace::Kind::organisation);
  EXPECT_EQ(accounts_->find_namespace("nobody").error().code, Code::not_found);
}

TEST_P(AccountsTest, TheFirstAdministratorIsMadeOnce) {
  const auto first = ensure_first_admin(*accounts_, *tokens_);
  ASSERT_TRUE(first.ok() && first.value());
  const auto caller = tokens_->authenticate(first.value()->token.reveal());
  ASSERT_TRUE(caller.ok());
  EXPECT_TRUE(caller.value().admin);
  EXPECT_EQ(caller.value().role, TokenRole::write);
  EXPECT_FALSE(ensure_first_admin(*accounts_, *tokens_).value());
}

TEST_P(AccountsTest, NoFirstAdministratorBesideOtherUsers) {
  user("ada");
  EXPECT_FALSE(ensure_first_admin(*accounts_, *tokens_).value());
  EXPECT_EQ(accounts_->list_users().value().size(), 1U);
}

TEST_P(AccountsTest, AFirstStartThatWasCutIsFinished) {
  user("admin", UserKind::administrator);
  const auto first = ensure_first_admin(*accounts_, *tokens_);
  ASSERT_TRUE(first.ok() && first.value());
  EXPECT_TRUE(tokens_->authenticate(first.value()->token.reveal()).ok());
}

// Two processes want the same name at once: one gets it.
TEST_P(AccountsTest, ANameIsGivenOnce) {
  const auto other = open();
  Accounts beside(*other, audit_, clock_);
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> threads;
    for (Accounts* accounts : {accounts_.get(), &beside, accounts_.get(), &beside})
      threads.emplace_back([&made, accounts] {
        if (accounts->create_user("root", {.name = "ada"}).ok()) ++made;
      });
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(accounts_->list_users().value().size(), 1U);
  const auto verdict = audit_.verify(database());
  EXPECT_TRUE(verdict.value().sound()) << verdict.value().why;
  EXPECT_EQ(verdict.value().rows, 1);
}

INSTANTIATE_TEST_SUITE_P(Each, AccountsTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

}  // namespace
}  // namespace holdfast::identity
