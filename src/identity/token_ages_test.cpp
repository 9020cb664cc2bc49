#include "identity/token_ages.h"

#include "identity/identity_fixture.h"

namespace holdfast::identity {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr auto days(int count) { return hours(24 * count); }

class TokenAgesTest : public IdentityTest {
 protected:
  void SetUp() override {
    IdentityTest::SetUp();
    if (IsSkipped()) return;
    ages_ = std::make_unique<TokenAges>(database(), audit_, clock_);
    user("ada");
    user("bob");
    ASSERT_TRUE(accounts_->create_organisation("root", {.name = "lab"}).ok());
    ASSERT_TRUE(accounts_->set_member("root", "lab", "ada", OrgRole::write).ok());
  }
  void TearDown() override {
    ages_.reset();
    IdentityTest::TearDown();
  }
  // The time goes on by what a checked token may be old, so that every rule counts.
  void settle() { clock_.advance(TokensOptions{}.staleness_max); }
  bool works(const IssuedToken& token) { return tokens_->authenticate(token.value.reveal()).ok(); }
  std::vector<std::string> told() {
    std::vector<std::string> out;
    const Status read = database().read([&](sql::Transaction& tx) {
      out.clear();
      return tx.query("SELECT action, subject FROM identity_audit WHERE actor = '(age)' ORDER BY number", {},
                      [&](const sql::Row& row) {
                        out.push_back(row.text(0) + " " + row.text(1));
                        return true;
                      });
    });
    EXPECT_TRUE(read.ok());
    return out;
  }

  std::unique_ptr<TokenAges> ages_;
};

TEST_P(TokenAgesTest, ATokenIsWarnedOfAndThenRefusedWithTheReason) {
  const IssuedToken issued = token("bob");
  ASSERT_TRUE(ages_->set("root", "", {.warn = days(60), .end = days(90)}).ok());
  clock_.advance(days(60) - milliseconds(1));
  EXPECT_TRUE(works(issued));
  EXPECT_TRUE(tokens_->ageing(issued.info.user).value().empty());
  clock_.advance(milliseconds(1));
  EXPECT_TRUE(works(issued));
  const auto ageing = tokens_->ageing(issued.info.user).value();
  ASSERT_EQ(ageing.size(), 1U);
  EXPECT_EQ(ageing[0].ends, issued.info.created + days(90));
  EXPECT_EQ(ageing[0].ends_by, "this server");
  clock_.advance(days(30) - milliseconds(1));
  EXPECT_TRUE(works(issued));
  clock_.advance(milliseconds(1));
  const auto refused = tokens_->authenticate(issued.value.reveal());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::bad_credentials);
  EXPECT_NE(refused.error().message.find("this server lets a token work for 90d"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(tokens_->caller(issued.info.id).error().reason, Reason::bad_credentials) << "tickets end with it";
  EXPECT_FALSE(tokens_->find_value(issued.value.reveal()).value()) << "nothing is left to revoke";
  EXPECT_EQ(tokens_->ageing(issued.info.user).value().size(), 1U) << "its user is still told";
  EXPECT_EQ(ages_->ended().value(), 1U);
}

TEST_P(TokenAgesTest, ARuleCountsForWhatWasCheckedBeforeAndEndsWithItself) {
  const IssuedToken issued = token("bob");
  clock_.advance(days(10));
  EXPECT_TRUE(works(issued));
  ASSERT_TRUE(ages_->set("root", "", {.end = days(9)}).ok());
  settle();
  EXPECT_FALSE(works(issued));
  ASSERT_TRUE(ages_->clear("root", "").ok());
  settle();
  EXPECT_TRUE(works(issued)) << "refused by the rule of the day, not revoked";
  EXPECT_EQ(ages_->clear("root", "").error().code, Code::not_found);
}

TEST_P(TokenAgesTest, OfTheServersRuleAndTheOrganisationsTheSoonerCounts) {
  const IssuedToken member = token("ada"), stranger = token("bob");
  ASSERT_TRUE(ages_->set("root", "", {.end = days(90)}).ok());
  ASSERT_TRUE(ages_->set("root", "lab", {.end = days(30)}).ok());
  EXPECT_EQ(tokens_->find(member.info.id).value().ends_by, "lab");
  EXPECT_EQ(tokens_->find(stranger.info.id).value().ends_by, "this server");
  clock_.advance(days(30));
  EXPECT_FALSE(works(member));
  EXPECT_TRUE(works(stranger));
  ASSERT_TRUE(accounts_->remove_member("root", "lab", "ada").ok());
  settle();
  EXPECT_TRUE(works(member));
  const auto all = tokens_->list(std::nullopt).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].ends, member.info.created + days(90));
  const auto rules = ages_->list().value();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].organisation, "");
  EXPECT_EQ(rules[1].organisation, "lab");
  EXPECT_EQ(ages_->set("root", "nobody", {.end = days(3)}).error().code, Code::not_found);
}

TEST_P(TokenAgesTest, ATokensOwnRuleStandsInPlaceOfAllOthers) {
  const IssuedToken robot = token("ada"), strict = token("ada");
  ASSERT_TRUE(ages_->set("root", "", {.end = days(90)}).ok());
  ASSERT_TRUE(ages_->set_own("root", robot.info.id, {}).ok()) << "never";
  ASSERT_TRUE(ages_->set_own("root", strict.info.id, {.end = days(5)}).ok());
  clock_.advance(days(5));
  EXPECT_FALSE(works(strict));
  clock_.advance(days(500));
  EXPECT_TRUE(works(robot));
  ASSERT_TRUE(ages_->clear_own("root", robot.info.id).ok());
  settle();
  EXPECT_FALSE(works(robot));
}

TEST_P(TokenAgesTest, RotationWithAnOverlapClearsIt) {
  const IssuedToken old = token("bob");
  ASSERT_TRUE(ages_->set("root", "", {.warn = days(60), .end = days(90)}).ok());
  clock_.advance(days(80));
  EXPECT_EQ(tokens_->ageing(old.info.user).value().size(), 1U);
  const auto fresh = tokens_->rotate("root", old.info.id, clock_.wall() + days(30), std::nullopt);
  ASSERT_TRUE(fresh.ok()) << fresh.error().message;
  EXPECT_EQ(fresh.value().info.ends, clock_.wall() + days(90)) << "its age begins anew";
  EXPECT_TRUE(tokens_->ageing(old.info.user).value().empty());
  EXPECT_TRUE(works(old));
  clock_.advance(days(10));
  EXPECT_FALSE(works(old)) << "an overlap makes no token older than the rule lets it be";
  EXPECT_TRUE(works(fresh.value()));
  clock_.advance(days(80));
  EXPECT_FALSE(works(fresh.value()));
  const auto third = tokens_->rotate("root", fresh.value().info.id, clock_.wall() + days(1), std::nullopt);
  ASSERT_TRUE(third.ok()) << "one that its age ended can be rotated: " << third.error().message;
  EXPECT_TRUE(works(third.value()));
  EXPECT_FALSE(works(fresh.value()));
}

TEST_P(TokenAgesTest, ItsUserIsToldOnceBeforeTheEndAndOnceAtIt) {
  token("bob");
  EXPECT_EQ(ages_->tell().value(), 0U);
  ASSERT_TRUE(ages_->set("root", "", {.warn = days(60), .end = days(90)}).ok());
  EXPECT_EQ(ages_->tell().value(), 0U);
  clock_.advance(days(60));
  EXPECT_EQ(ages_->tell().value(), 1U);
  EXPECT_EQ(ages_->tell().value(), 0U);
  EXPECT_EQ(told(), (std::vector<std::string>{"token.ageing bob"}));
  clock_.advance(days(30));
  const auto beside = TokenAges(database(), audit_, clock_).tell();  // As after a restart.
  EXPECT_EQ(beside.value(), 1U);
  EXPECT_EQ(ages_->tell().value(), 0U);
  EXPECT_EQ(told(), (std::vector<std::string>{"token.ageing bob", "token.ended_by_age bob"}));
  ASSERT_TRUE(ages_->set("root", "", {.warn = days(60), .end = days(120)}).ok());
  EXPECT_EQ(ages_->tell().value(), 1U) << "the end has moved";
  const IssuedToken revoked = token("ada");
  ASSERT_TRUE(tokens_->revoke("root", revoked.info.id).ok());
  clock_.advance(days(119));
  EXPECT_EQ(ages_->tell().value(), 1U) << "bob's has ended; ada's is revoked";
}

TEST_P(TokenAgesTest, AnExpiryThatComesSoonerIsNoMatterOfAge) {
  const auto issued =
      tokens_->create("root", {.user = "bob", .label = "x", .expires = clock_.wall() + days(7)});
  ASSERT_TRUE(issued.ok());
  ASSERT_TRUE(ages_->set("root", "", {.warn = days(60), .end = days(90)}).ok());
  EXPECT_EQ(tokens_->find(issued.value().info.id).value().ends, issued.value().info.expires);
  clock_.advance(days(8));
  EXPECT_NE(tokens_->authenticate(issued.value().value.reveal()).error().message.find("expired at"),
            std::string::npos);
  clock_.advance(days(90));
  EXPECT_TRUE(tokens_->ageing(issued.value().info.user).value().empty());
  EXPECT_EQ(ages_->tell().value(), 0U);
}

TEST_P(TokenAgesTest, RulesThatMakeNoSenseAreRefused) {
  struct Case {
    const char* why;
    AgeRule rule;
  };
  for (const auto& [why, rule] : {Case{"nothing is said", {}}, Case{"too short", {.end = milliseconds(10)}},
                                  Case{"too long", {.end = days(4000)}},
                                  Case{"a warning after the end", {.warn = days(9), .end = days(8)}}})
    EXPECT_EQ(ages_->set("root", "", rule).error().reason, Reason::bad_request) << why;
  EXPECT_EQ(ages_->set("root", "", {.end = days(90)}).value().warn, milliseconds(days(76)));
  EXPECT_EQ(ages_->set("root", "", {.end = days(10)}).value().warn, milliseconds(days(8)));
  EXPECT_EQ(ages_->set_own("root", TokenId{99}, {}).error().code, Code::not_found);
}

INSTANTIATE_TEST_SUITE_P(Each, TokenAgesTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

}  // namespace
}  // namespace holdfast::identity
