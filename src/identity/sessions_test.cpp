#include "identity/sessions.h"

#include <gtest/gtest.h>

#include "identity/identity_fixture.h"
#include "identity/sign_in_guard.h"

namespace holdfast::identity {
namespace {

using namespace std::chrono_literals;

class SessionsTest : public IdentityTest {
 protected:
  void SetUp() override {
    IdentityTest::SetUp();
    if (IsSkipped()) return;
    sessions_ = make_sessions(database(), audit_, clock_, random_, key_, {.sessions_of_user_max = 3});
  }
  IssuedSession opened(const User& who) {
    auto issued = sessions_->open(who);
    EXPECT_TRUE(issued.ok()) << issued.error().message;
    return std::move(issued).value();
  }
  bool is_live(const IssuedSession& issued) {
    const auto found = sessions_->find(issued.value.reveal());
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.value().has_value();
  }

  std::unique_ptr<Sessions> sessions_;
};

INSTANTIATE_TEST_SUITE_P(Each, SessionsTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

TEST_P(SessionsTest, ASessionActsWithAllThatItsUserMay) {
  const User ada = user("ada", UserKind::administrator);
  const auto issued = opened(ada);
  const auto found = sessions_->find(issued.value.reveal());
  ASSERT_TRUE(found.ok() && found.value());
  EXPECT_EQ(found.value()->caller.name, "ada");
  EXPECT_TRUE(found.value()->caller.by_session());
  EXPECT_TRUE(found.value()->caller.admin);
  EXPECT_EQ(found.value()->caller.role, TokenRole::write);
  EXPECT_EQ(found.value()->people.size(), 1U);
  EXPECT_NE(opened(ada).session.caller.token, issued.session.caller.token);
}

TEST_P(SessionsTest, ItEndsBySigningOutByIdlenessByAgeAndWithItsUser) {
  const User ada = user("ada");
  const auto closed = opened(ada);
  ASSERT_TRUE(sessions_->close(closed.value.reveal()).ok());
  EXPECT_FALSE(is_live(closed));
  ASSERT_TRUE(sessions_->close(closed.value.reveal()).ok()) << "twice is no error";

  const auto idle = opened(ada);
  clock_.advance(23h);
  EXPECT_TRUE(is_live(idle));
  clock_.advance(23h);
  EXPECT_TRUE(is_live(idle)) << "a use counts";
  clock_.advance(25h);
  EXPECT_FALSE(is_live(idle));

  const auto old = opened(ada);
  for (int i = 0; i < 8; ++i) {
    clock_.advance(20h);
    EXPECT_TRUE(is_live(old)) << i;
  }
  clock_.advance(10h);
  EXPECT_FALSE(is_live(old)) << "a week is over";

  const auto disabled = opened(ada);
  ASSERT_TRUE(accounts_->disable_user("test", "ada").ok());
  EXPECT_FALSE(is_live(disabled));
  ASSERT_TRUE(accounts_->enable_user("test", "ada").ok());
  EXPECT_TRUE(is_live(disabled));
  ASSERT_TRUE(accounts_->set_password("test", "ada", Secret("another secret")).ok());
  EXPECT_FALSE(is_live(disabled)) << "a new password signs browsers out";
}

TEST_P(SessionsTest, ValuesThatAreNoneFindNothing) {
  const auto issued = opened(user("ada"));
  for (const std::string& value :
       {std::string(), std::string("x"), std::string(40, 'a'), std::string(41, 'a'),
        issued.value.reveal() + "a", std::string(40, '\n')}) {
    const auto found = sessions_->find(value);
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found.value()) << value;
  }
}

TEST_P(SessionsTest, AUserHasABoundedNumberOfSessions) {
  const User ada = user("ada");
  const auto first = opened(ada), second = opened(ada);
  opened(ada);
  EXPECT_TRUE(is_live(first));
  opened(ada);
  EXPECT_FALSE(is_live(first));
  EXPECT_TRUE(is_live(second));
}

TEST_P(SessionsTest, ALinkOpensOneSessionOnceAndSoon) {
  user("ada");
  user("bob");
  user("eve");
  const std::vector<std::string> people{"bob", "ada"};
  const auto link = sessions_->make_link("(command line)", people, 10min);
  ASSERT_TRUE(link.ok()) << link.error().message;
  const auto issued = sessions_->open_by_link(link.value().reveal());
  ASSERT_TRUE(issued.ok()) << issued.error().message;
  EXPECT_EQ(issued.value().session.caller.name, "bob");
  EXPECT_EQ(issued.value().session.people.size(), 2U);
  const auto twice = sessions_->open_by_link(link.value().reveal());
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().reason, Reason::bad_credentials);

  const auto late = sessions_->make_link("(command line)", people, 10min);
  clock_.advance(10min);
  EXPECT_FALSE(sessions_->open_by_link(late.value().reveal()).ok());
  EXPECT_FALSE(sessions_->open_by_link("nonsense").ok());
  EXPECT_FALSE(sessions_->find(late.value().reveal()).value()) << "a link is no session";
  EXPECT_FALSE(sessions_->make_link("x", {}, 10min).ok());
  EXPECT_FALSE(sessions_->make_link("x", people, 0min).ok());
  EXPECT_FALSE(sessions_->make_link("x", people, 24h * 30).ok());
  const std::vector<std::string> nobody{"nobody"};
  EXPECT_FALSE(sessions_->make_link("x", nobody, 10min).ok());
}

TEST_P(SessionsTest, SwitchingIsAmongItsOwnPeopleAndEndsTheOldValue) {
  user("ada");
  user("bob");
  user("eve");
  const std::vector<std::string> people{"ada", "bob"};
  const auto link = sessions_->make_link("(command line)", people, 10min);
  const auto first = sessions_->open_by_link(link.value().reveal());
  ASSERT_TRUE(first.ok());
  const auto second = sessions_->switch_to(first.value().value.reveal(), "Bob");
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second.value().session.caller.name, "bob");
  EXPECT_FALSE(is_live(first.value()));
  EXPECT_FALSE(sessions_->switch_to(second.value().value.reveal(), "eve").ok());
  EXPECT_FALSE(sessions_->switch_to("nonsense", "ada").ok());
  ASSERT_TRUE(accounts_->disable_user("test", "ada").ok());
  EXPECT_FALSE(sessions_->switch_to(second.value().value.reveal(), "ada").ok());
  EXPECT_TRUE(is_live(second.value()));
}

TEST_P(SessionsTest, NeitherValueNorLinkIsKeptInTheClear) {
  user("ada");
  const std::vector<std::string> people{"ada"};
  const auto link = sessions_->make_link("x", people, 10min);
  const auto issued = sessions_->open_by_link(link.value().reveal());
  ASSERT_TRUE(issued.ok());
  const std::string csrf = sessions_->csrf_token(issued.value().value.reveal());
  EXPECT_EQ(csrf.size(), 64U);
  EXPECT_NE(csrf, sessions_->csrf_token(link.value().reveal()));
  const auto rows = audit_.list(database(), 0, 100);
  ASSERT_TRUE(rows.ok());
  std::string log;
  for (const AuditRow& row : rows.value()) log += row.action + row.subject + row.details;
  EXPECT_NE(log.find("session.opened"), std::string::npos);
  EXPECT_EQ(log.find(issued.value().value.reveal()), std::string::npos);
  EXPECT_EQ(log.find(link.value().reveal()), std::string::npos);
}

TEST(SignInGuard, TenWrongPasswordsInAWindowAreEnoughAndARightOneForgetsThem) {
  ManualClock clock;
  SignInGuard guard(clock, {.failures_max = 3, .window = 1000ms, .at_once_max = 1});
  const auto attempt = [&](SignInGuard::Outcome outcome) {
    const Status begun = guard.begin("Ada", "10.0.0.1");
    if (begun.ok()) guard.end("ada", "10.0.0.1", outcome);
    return begun.ok();
  };
  EXPECT_TRUE(attempt(SignInGuard::Outcome::failed));
  EXPECT_TRUE(attempt(SignInGuard::Outcome::matched));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(attempt(SignInGuard::Outcome::failed));
  EXPECT_FALSE(attempt(SignInGuard::Outcome::matched));
  EXPECT_TRUE(guard.begin("ada", "10.0.0.2").ok()) << "another address";
  EXPECT_EQ(guard.begin("bob", "10.0.0.2").error().reason, Reason::queue_full);
  guard.end("ada", "10.0.0.2", SignInGuard::Outcome::failed);
  clock.advance(1000ms);
  EXPECT_TRUE(attempt(SignInGuard::Outcome::failed));
}

}  // namespace
}  // namespace holdfast::identity
