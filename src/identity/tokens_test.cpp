#include <fstream>
#include <sstream>

#include "base/data_layout.h"
#include "identity/identity_fixture.h"
#include "identity/instance_key.h"
#include "io/disk.h"

namespace holdfast::identity {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class TokensTest : public IdentityTest {
 protected:
  void expect_wrong(std::string_view value) {
    const auto caller = tokens_->authenticate(value);
    ASSERT_FALSE(caller.ok());
    EXPECT_EQ(caller.error().reason, Reason::bad_credentials);
  }
};

TEST_P(TokensTest, ATokenTellsWhoItsUserIs) {
  user("Ada", UserKind::administrator);
  ASSERT_TRUE(accounts_->create_organisation("root", {.name = "lab"}).ok());
  ASSERT_TRUE(accounts_->set_member("root", "lab", "ada", OrgRole::write).ok());
  const IssuedToken issued = token("ada", TokenRole::read);
  const std::string value = issued.value.reveal();
  EXPECT_EQ(value.size(), 37U);
  EXPECT_TRUE(value.starts_with("hf_"));
  EXPECT_TRUE(
      std::all_of(value.begin() + 3, value.end(), [](unsigned char c) { return std::isalpha(c) != 0; }));
  for (int i = 0; i < 2; ++i) {  // From the database, then from the cache.
    const auto caller = tokens_->authenticate(value);
    ASSERT_TRUE(caller.ok()) << caller.error().message;
    EXPECT_EQ(caller.value().name, "Ada");
    EXPECT_TRUE(caller.value().admin);
    EXPECT_EQ(caller.value().token, issued.info.id);
    EXPECT_EQ(caller.value().role, TokenRole::read);
    ASSERT_EQ(caller.value().memberships.size(), 1U);
    EXPECT_EQ(caller.value().memberships[0].role, OrgRole::write);
    EXPECT_FALSE(caller.value().anonymous());
  }
}

TEST_P(TokensTest, WhatIsNoTokenIsWrong) {
  user("ada");
  const std::string value = token("ada").value.reveal();
  expect_wrong("");
  expect_wrong("hf_");
  expect_wrong(value.substr(0, value.size() - 1));
  expect_wrong(value + "x");
  expect_wrong("hf_" + std::string(34, 'a'));
  expect_wrong("hf_" + std::string(100'000, 'a'));
  expect_wrong(std::string("hf_\0abcdefgh", 12));
  std::string other_case = value;
  other_case[5] ^= 0x20;
  expect_wrong(other_case);
}

TEST_P(TokensTest, AValueMayBeGivenFromOutside) {
  user("ada");
  const auto with = [&](const std::string& value) {
    return tokens_->create(
        "root", {.user = "ada", .label = "fixed", .role = TokenRole::write, .value = Secret(value)});
  };
  ASSERT_TRUE(with("hf_enterprise_admin_token").ok());
  EXPECT_TRUE(tokens_->authenticate("hf_enterprise_admin_token").ok());
  EXPECT_EQ(with("hf_enterprise_admin_token").error().reason, Reason::already_exists);
  for (const std::string& bad :
       {std::string("hf_1234"), std::string("tk_12345678"), "hf_" + std::string(254, 'x'),
        std::string("hf_with space"), std::string("hf_new\nline")})
    EXPECT_EQ(with(bad).error().reason, Reason::bad_request) << bad;
  EXPECT_TRUE(with("hf_" + std::string(253, 'x')).ok());
}

TEST_P(TokensTest, WishesThatMakeNoSenseAreRefused) {
  user("ada");
  const Scope scope{EntityKind::everything, "", {Grant::infer}};
  struct Case {
    const char* why;
    NewToken wish;
  };
  for (const auto& [why, wish] : {
           Case{"no label", {.user = "ada"}},
           Case{"long label", {.user = "ada", .label = std::string(97, 'x')}},
           Case{"scopes of a read token",
                {.user = "ada", .label = "x", .role = TokenRole::read, .scopes = {scope}}},
           Case{"too many scopes",
                {.user = "ada",
                 .label = "x",
                 .role = TokenRole::fine_grained,
                 .scopes = std::vector<Scope>(101, scope)}},
           Case{"an empty scope",
                {.user = "ada", .label = "x", .role = TokenRole::fine_grained, .scopes = {Scope{}}}},
           Case{"expired", {.user = "ada", .label = "x", .expires = clock_.wall()}},
       })
    EXPECT_EQ(tokens_->create("root", wish).error().reason, Reason::bad_request) << why;
  EXPECT_EQ(tokens_->create("root", {.user = "nobody", .label = "x"}).error().code, Code::not_found);
  EXPECT_TRUE(tokens_->list(std::nullopt).value().empty());
}

TEST_P(TokensTest, ScopesComeBack) {
  user("ada");
  const std::vector<Scope> scopes{{EntityKind::model, "lab/engine", {Grant::content_read, Grant::infer}},
                                  {EntityKind::everything, "", {Grant::discussion_write}}};
  const auto issued = tokens_->create(
      "root", {.user = "ada", .label = "ci", .role = TokenRole::fine_grained, .scopes = scopes});
  ASSERT_TRUE(issued.ok());
  EXPECT_EQ(tokens_->authenticate(issued.value().value.reveal()).value().scopes, scopes);
  EXPECT_EQ(tokens_->find(issued.value().info.id).value().scopes, scopes);
}

TEST_P(TokensTest, AnExpiredTokenIsWrongAlsoFromTheCache) {
  user("ada");
  const auto issued =
      tokens_->create("root", {.user = "ada", .label = "x", .expires = clock_.wall() + minutes(1)});
  const std::string value = issued.value().value.reveal();
  EXPECT_TRUE(tokens_->authenticate(value).ok());
  clock_.advance(minutes(1) - milliseconds(1));
  EXPECT_TRUE(tokens_->authenticate(value).ok());
  clock_.advance(milliseconds(1));
  expect_wrong(value);
}

TEST_P(TokensTest, ARevokedTokenIsWrongAtOnceHereAndSoonElsewhere) {
  user("ada");
  const IssuedToken issued = token("ada");
  const auto other_database = open();
  const auto beside = make_tokens(*other_database, audit_, clock_, random_, key_);
  const std::string value = issued.value.reveal();
  EXPECT_TRUE(tokens_->authenticate(value).ok());
  EXPECT_TRUE(beside->authenticate(value).ok());
  EXPECT_EQ(tokens_->caller(issued.info.id).value().name, tokens_->authenticate(value).value().name);
  EXPECT_EQ(tokens_->caller(TokenId{99}).error().reason, Reason::bad_credentials);
  ASSERT_TRUE(tokens_->revoke("root", issued.info.id).ok());
  EXPECT_EQ(tokens_->caller(issued.info.id).error().reason, Reason::bad_credentials);
  expect_wrong(value);
  EXPECT_TRUE(beside->authenticate(value).ok()) << "the test's clock stands still, so the cache may answer";
  clock_.advance(TokensOptions{}.staleness_max);
  EXPECT_EQ(beside->authenticate(value).error().reason, Reason::bad_credentials);
  EXPECT_TRUE(tokens_->revoke("root", issued.info.id).ok()) << "again is fine";
  EXPECT_EQ(tokens_->revoke("root", TokenId{99}).error().code, Code::not_found);
  EXPECT_TRUE(tokens_->find(issued.info.id).value().revoked.has_value());
}

TEST_P(TokensTest, WhatAScanFoundEndsAndIsToldUntilItWasSeen) {
  user("ada");
  user("bob");
  const IssuedToken issued = token("ada");
  const UserId ada = issued.info.user;
  EXPECT_TRUE(tokens_->leaked(ada).value().empty());
  ASSERT_TRUE(tokens_->revoke_leaked(issued.info.id, "notes.md").ok());
  expect_wrong(issued.value.reveal());
  const auto leaked = tokens_->leaked(ada).value();
  ASSERT_EQ(leaked.size(), 1U);
  EXPECT_EQ(leaked[0].found_in, "notes.md");
  EXPECT_TRUE(leaked[0].revoked.has_value());
  EXPECT_TRUE(tokens_->leaked(token("bob").info.user).value().empty());
  ASSERT_TRUE(tokens_->revoke("ada", issued.info.id).ok()) << "seen";
  EXPECT_TRUE(tokens_->leaked(ada).value().empty());
  const IssuedToken again = token("ada");
  ASSERT_TRUE(tokens_->revoke_leaked(again.info.id, std::string(499, 'a') + "\u00e9" + "b").ok());
  EXPECT_EQ(tokens_->leaked(ada).value().at(0).found_in, std::string(499, 'a')) << "no half characters";
}

TEST_P(TokensTest, AChangeOfUserOrMembershipReachesCachedTokens) {
  user("ada");
  ASSERT_TRUE(accounts_->create_organisation("root", {.name = "lab"}).ok());
  const std::string value = token("ada").value.reveal();
  EXPECT_TRUE(tokens_->authenticate(value).value().memberships.empty());
  ASSERT_TRUE(accounts_->set_member("root", "lab", "ada", OrgRole::admin).ok());
  clock_.advance(TokensOptions{}.staleness_max);
  EXPECT_EQ(tokens_->authenticate(value).value().memberships.size(), 1U);
  ASSERT_TRUE(accounts_->remove_member("root", "lab", "ada").ok());
  clock_.advance(TokensOptions{}.staleness_max);
  EXPECT_TRUE(tokens_->authenticate(value).value().memberships.empty());
  ASSERT_TRUE(accounts_->disable_user("root", "ada").ok());
  clock_.advance(TokensOptions{}.staleness_max);
  expect_wrong(value);
  ASSERT_TRUE(accounts_->enable_user("root", "ada").ok());
  EXPECT_TRUE(tokens_->authenticate(value).ok());
}

TEST_P(TokensTest, RotationOverlaps) {
  user("ada");
  const IssuedToken old = token("ada");
  const auto fresh = tokens_->rotate("root", old.info.id, clock_.wall() + minutes(10), std::nullopt);
  ASSERT_TRUE(fresh.ok()) << fresh.error().message;
  EXPECT_NE(fresh.value().info.id, old.info.id);
  EXPECT_EQ(fresh.value().info.label, old.info.label);
  EXPECT_EQ(fresh.value().info.role, old.info.role);
  EXPECT_TRUE(tokens_->authenticate(old.value.reveal()).ok());
  EXPECT_TRUE(tokens_->authenticate(fresh.value().value.reveal()).ok());
  clock_.advance(minutes(10));
  expect_wrong(old.value.reveal());
  EXPECT_TRUE(tokens_->authenticate(fresh.value().value.reveal()).ok());
  EXPECT_EQ(tokens_->rotate("root", old.info.id, clock_.wall(), std::nullopt).error().reason,
            Reason::precondition_failed);
  const auto third = tokens_->rotate("root", fresh.value().info.id, clock_.wall(), Secret("hf_third_value"));
  ASSERT_TRUE(third.ok());
  expect_wrong(fresh.value().value.reveal());
  EXPECT_TRUE(tokens_->authenticate("hf_third_value").ok());
}

TEST_P(TokensTest, LastUseIsKeptAtMostOnceAMinute) {
  user("ada");
  const IssuedToken issued = token("ada");
  const auto stored = [&] {
    int64_t at = 0;
    const Status status = database().read([&](sql::Transaction& tx) {
      return tx.query("SELECT last_used FROM identity_tokens", {}, [&](const sql::Row& row) {
        at = row.integer(0);
        return true;
      });
    });
    EXPECT_TRUE(status.ok());
    return at;
  };
  EXPECT_FALSE(tokens_->find(issued.info.id).value().last_used);
  const auto start = clock_.wall().time_since_epoch().count();
  EXPECT_TRUE(tokens_->authenticate(issued.value.reveal()).ok());
  EXPECT_EQ(stored(), start);
  clock_.advance(milliseconds(59'999));
  EXPECT_TRUE(tokens_->authenticate(issued.value.reveal()).ok());
  EXPECT_EQ(stored(), start);
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(tokens_->authenticate(issued.value.reveal()).ok());
  EXPECT_EQ(stored(), start + 60'000);
  clock_.advance(milliseconds(5));
  EXPECT_TRUE(tokens_->authenticate(issued.value.reveal()).ok());
  EXPECT_EQ(tokens_->find(issued.info.id).value().last_used, clock_.wall()) << "whoever asks here is told";
}

TEST_P(TokensTest, AFoundValueIsTheLiveTokenOnly) {
  user("ada");
  const IssuedToken issued = token("ada");
  EXPECT_EQ(tokens_->find_value(issued.value.reveal()).value()->id, issued.info.id);
  EXPECT_FALSE(tokens_->find_value("hf_something_else").value());
  EXPECT_FALSE(tokens_->find_value("no token").value());
  ASSERT_TRUE(tokens_->revoke("root", issued.info.id).ok());
  EXPECT_FALSE(tokens_->find_value(issued.value.reveal()).value());
}

TEST_P(TokensTest, AnotherInstancesKeyOpensNothing) {
  user("ada");
  const std::string value = token("ada").value.reveal();
  const auto stolen = make_tokens(database(), audit_, clock_, random_, Secret("another key"));
  EXPECT_EQ(stolen->authenticate(value).error().reason, Reason::bad_credentials);
}

TEST_P(TokensTest, ASmallCacheStillAnswersRight) {
  user("ada");
  tokens_ = make_tokens(database(), audit_, clock_, random_, key_, {.cached_max = 2});
  std::vector<IssuedToken> issued;
  for (int i = 0; i < 7; ++i) issued.push_back(token("ada"));
  for (int round = 0; round < 3; ++round)
    for (const IssuedToken& each : issued)
      EXPECT_EQ(tokens_->authenticate(each.value.reveal()).value().token, each.info.id);
}

TEST_P(TokensTest, NoFileHoldsTheValueOfAToken) {
  if (GetParam() != sql::Engine::sqlite) GTEST_SKIP() << "the files of PostgreSQL are its own";
  user("ada");
  std::vector<std::string> values;
  for (int i = 0; i < 20; ++i) values.push_back(token("ada").value.reveal());
  const auto fixed =
      tokens_->create("root", {.user = "ada", .label = "x", .value = Secret("hf_enterprise_admin_token")});
  values.emplace_back("hf_enterprise_admin_token");
  for (const std::string& value : values) EXPECT_TRUE(tokens_->authenticate(value).ok());
  ASSERT_TRUE(tokens_->rotate("root", fixed.value().info.id, clock_.wall(), std::nullopt).ok());
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    std::ostringstream content;
    content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    bytes += content.str().size();
    EXPECT_EQ(content.str().find("hf_"), std::string::npos) << entry.path().filename();
    for (const std::string& value : values)
      EXPECT_EQ(content.str().find(value.substr(3, 12)), std::string::npos) << entry.path().filename();
  }
  EXPECT_GT(bytes, 20'000U);
}

INSTANTIATE_TEST_SUITE_P(Each, TokensTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

TEST(InstanceKey, IsMadeOnceAndTheOwnersAlone) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  SystemRandom random;
  const auto first = open_instance_key(*disk, random);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first.value().reveal().size(), 64U);
  const auto again = open_instance_key(*disk, random);
  EXPECT_TRUE(again.value().matches(first.value().reveal()));
  using std::filesystem::perms;
  const auto file = folder.path() / data_layout::instance_key;
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(std::filesystem::status(file.parent_path()).permissions(), perms::owner_all);
}

TEST(InstanceKey, ADamagedFileIsNotReplaced) {
  const auto disk = io::make_memory_disk();
  SystemRandom random;
  ASSERT_TRUE(disk->make_directories(data_layout::keys).ok());
  ASSERT_TRUE(io::publish_text(*disk, data_layout::instance_key, "0123\n").ok());
  EXPECT_EQ(open_instance_key(*disk, random).error().reason, Reason::data_corrupt);
}

}  // namespace
}  // namespace holdfast::identity
