#include <gtest/gtest.h>

#include <memory>

#include "api/authenticate.h"
#include "api/error_answer.h"
#include "api/route.h"
#include "api/services.h"
#include "api/session_cookie.h"
#include "api/session_routes.h"
#include "codec/json.h"
#include "repo/hub_test_kit.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace holdfast::api {
namespace {

using repo::TestHub;

// The doors of sessions and tokens, asked as browsers ask.
class Browser {
 public:
  Browser()
      : services_{.clock = hub_.clock(),
                  .random = hub_.random(),
                  .log = hub_.log(),
                  .metrics = hub_.metrics(),
                  .database = hub_.database(),
                  .accounts = hub_.accounts(),
                  .tokens = hub_.tokens(),
                  .sessions = hub_.sessions(),
                  .permission = hub_.permission(),
                  .audit = hub_.audit(),
                  .content = hub_.content(),
                  .hub = hub_.hub(),
                  .router = router_,
                  .public_url = ""} {
    add_session_routes(table_, services_);
    add_token_routes(table_, services_);
    TestHub::require(mount(table_, services_, router_));
    TestHub::require(hub_.accounts().set_password("(test)", "ada", Secret("correct horse")));
  }

  net::Response send(const std::string& method, const std::string& target, const std::string& body = "") {
    net::Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.peer = "10.0.0.1";
    request.headers.add("Host", "hub.test");
    if (!body.empty()) request.headers.add("Content-Type", content_type_);
    if (!cookie_.empty()) request.headers.add("Cookie", "theme=dark; " + cookie_);
    if (!csrf_.empty()) request.headers.add(std::string(csrf_header), csrf_);
    if (!origin_.empty()) request.headers.add("Origin", origin_);
    auto match = TestHub::require_value(router_.match(method, request.path()));
    request.captures = std::move(match.captures);
    auto answer = std::get<net::Handler>(match.route->handle)(request, {});
    net::Response response =
        answer.ok() ? std::move(answer).value() : write_error(request, answer.error(), {});
    // Only a value that is set counts; the attributes are read by the tests.
    if (const auto set = response.headers.find("Set-Cookie")) cookie_ = set->substr(0, set->find(';'));
    return response;
  }
  boost::json::object sent(const std::string& method, const std::string& target,
                           const std::string& body = "") {
    const net::Response response = send(method, target, body);
    EXPECT_EQ(response.status, 200) << std::get<std::string>(response.body);
    return TestHub::require_value(codec::parse_json_object(std::get<std::string>(response.body)));
  }
  void sign_in() {
    const auto session = sent("POST", "/api/session", R"({"name":"Ada","password":"correct horse"})");
    csrf_ = session.at("csrf").as_string();
  }

  TestHub hub_;
  net::Router router_;
  Services services_;
  RouteTable table_;
  std::string cookie_, csrf_, origin_, content_type_ = "application/json";
};

TEST(Session, APasswordOpensOneAndTheCookieIsForThisSiteAlone) {
  Browser browser;
  EXPECT_TRUE(browser.sent("GET", "/api/session").at("user").is_null());
  const auto answer = browser.send("POST", "/api/session", R"({"name":"ada","password":"correct horse"})");
  ASSERT_EQ(answer.status, 200);
  const std::string cookie(answer.headers.get("Set-Cookie"));
  for (const char* part : {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="})
    EXPECT_NE(cookie.find(part), std::string::npos) << part;
  EXPECT_EQ(cookie.find("Secure"), std::string::npos) << "this one came over HTTP";
  const auto session = browser.sent("GET", "/api/session");
  EXPECT_EQ(session.at("user").at("name").as_string(), "ada");
  EXPECT_EQ(session.at("csrf").as_string().size(), 64U);
}

TEST(Session, WrongPasswordsAreRefusedAndAfterTenNoneIsTried) {
  Browser browser;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(browser.send("POST", "/api/session", R"({"name":"ada","password":"wrong horse"})").status, 401);
  EXPECT_EQ(browser.send("POST", "/api/session", R"({"name":"ada","password":"correct horse"})").status, 429);
}

TEST(Session, AnotherSitesPageCanNeitherSignInNorAct) {
  Browser browser;
  const std::string right = R"({"name":"ada","password":"correct horse"})";
  browser.origin_ = "http://evil.test";
  EXPECT_EQ(browser.send("POST", "/api/session", right).status, 403);
  browser.origin_ = "http://hub.test";
  browser.content_type_ = "text/plain";
  EXPECT_EQ(browser.send("POST", "/api/session", right).status, 403);
  browser.content_type_ = "application/json";
  browser.sign_in();
  const std::string csrf = browser.csrf_;
  const std::string wish = R"({"name":"laptop","role":"read"})";
  for (const std::string& forged : {std::string(), std::string("x"), std::string(64, '0')}) {
    browser.csrf_ = forged;
    EXPECT_EQ(browser.send("POST", "/api/tokens", wish).status, 403) << forged;
  }
  EXPECT_EQ(browser.sent("GET", "/api/tokens").at("tokens").as_array().size(), 0U) << "reading needs none";
  browser.csrf_ = csrf;
  EXPECT_EQ(browser.send("POST", "/api/tokens", wish).status, 200);
}

TEST(Session, SigningOutEndsItAndClearsTheCookie) {
  Browser browser;
  browser.sign_in();
  const std::string cookie = browser.cookie_;
  const auto answer = browser.send("DELETE", "/api/session");
  EXPECT_NE(answer.headers.get("Set-Cookie").find("Max-Age=0"), std::string_view::npos);
  browser.cookie_ = cookie;
  EXPECT_TRUE(browser.sent("GET", "/api/session").at("user").is_null());
  EXPECT_EQ(browser.send("GET", "/api/tokens").status, 401);
}

TEST(Session, ALinkSignsInOnceAndLetsSwitchAmongItsPeople) {
  Browser browser;
  const std::vector<std::string> people{"ada", "bob"};
  const auto link =
      TestHub::require_value(browser.hub_.sessions().make_link("(test)", people, std::chrono::minutes(10)));
  const std::string body = R"({"link":")" + link.reveal() + R"("})";
  const auto session = browser.sent("POST", "/api/session/link", body);
  EXPECT_EQ(session.at("people").as_array().size(), 2U);
  browser.csrf_ = session.at("csrf").as_string();
  const auto bob = browser.sent("POST", "/api/session/switch", R"({"name":"bob"})");
  EXPECT_EQ(bob.at("user").at("name").as_string(), "bob");
  browser.csrf_ = bob.at("csrf").as_string();
  EXPECT_EQ(browser.send("POST", "/api/session/switch", R"({"name":"rea"})").status, 404);
  EXPECT_EQ(browser.send("POST", "/api/session/link", body).status, 401);
}

TEST(Session, TokensAreShownOnceListedAndRevokedByTheirOwnUserOnly) {
  Browser browser;
  browser.sign_in();
  const auto made = browser.sent(
      "POST", "/api/tokens",
      R"({"name":"ci","role":"fine-grained","days":30,"scopes":["model:lab/engine=repo.write"]})");
  const std::string value(made.at("token").as_string());
  EXPECT_TRUE(browser.hub_.tokens().authenticate(value).ok());
  const auto listed = browser.sent("GET", "/api/tokens").at("tokens").as_array();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_FALSE(listed[0].as_object().contains("token"));
  EXPECT_EQ(listed[0].at("scopes").as_array()[0].as_string(), "model:lab/engine=repo.write");
  for (const char* bad :
       {R"({"name":"","role":"read"})", R"({"name":"x","role":"king"})",
        R"({"name":"x","role":"read","days":0})",
        R"({"name":"x","role":"fine-grained","scopes":["nonsense"]})", R"({"role":"read"})", "[]"})
    EXPECT_EQ(browser.send("POST", "/api/tokens", bad).status, 400) << bad;

  browser.hub_.token("bob");
  const auto bobs = TestHub::require_value(browser.hub_.tokens().list(std::nullopt));
  const int64_t of_bob = bobs.front().id.raw;
  EXPECT_EQ(browser.send("DELETE", "/api/tokens/" + std::to_string(of_bob)).status, 404);
  EXPECT_EQ(browser.send("DELETE", "/api/tokens/none").status, 404);
  EXPECT_EQ(browser.send("DELETE", "/api/tokens/" + std::to_string(made.at("id").as_int64())).status, 200);
  EXPECT_FALSE(browser.hub_.tokens().authenticate(value).ok());
}

TEST(Session, ATokenMakesNoTokens) {
  Browser browser;
  net::Request request;
  request.method = "POST";
  request.target = "/api/tokens";
  request.body = R"({"name":"more","role":"write"})";
  request.headers.add("Host", "hub.test");
  request.headers.add("Authorization", "Bearer " + browser.hub_.token("ada"));
  const auto match = TestHub::require_value(browser.router_.match("POST", "/api/tokens"));
  const auto answer = std::get<net::Handler>(match.route->handle)(request, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().status, 403);
}

TEST(SessionCookie, IsFoundAmongOthersAndSecureOverHttps) {
  net::Request request;
  EXPECT_FALSE(session_cookie_of(request));
  request.headers.add("Cookie", "a=b; xholdfast_session=no;holdfast_session=yes; c");
  EXPECT_EQ(session_cookie_of(request), "yes");
  EXPECT_NE(ended_session_cookie("https://hub.test").find("; Secure"), std::string::npos);
  for (const char* broken : {"", ";", "=", "holdfast_session", ";;holdfast_session2=x"}) {
    net::Request other;
    other.headers.add("Cookie", broken);
    EXPECT_FALSE(session_cookie_of(other)) << broken;
  }
}

}  // namespace
}  // namespace holdfast::api
