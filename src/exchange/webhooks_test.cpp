#include "exchange/webhooks.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/hmac.h"
#include "codec/json.h"
#include "exchange/schema.h"
#include "exchange/webhook_sender.h"
#include "net/client.h"
#include "repo/hub_test_kit.h"

namespace holdfast::exchange {
namespace {

using repo::TestHub;
namespace json = boost::json;

// Answers what it is told to, and keeps what it was asked.
class Receiver final : public net::Client {
 public:
  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context&) override {
    got.push_back(request);
    if (refuses) return fail(Reason::policy_refused, "an address that may not be reached");
    if (silent) return fail(Reason::dependency_failed, "no connection");
    return net::ClientResponse{.status = status, .headers = {}, .body = "thanks"};
  }
  std::vector<net::ClientRequest> got;
  int status = 200;
  bool silent = false, refuses = false;
};

class WebhooksTest : public testing::Test {
 protected:
  WebhooksTest() {
    TestHub::require(sql::migrate(hub_.database(), migrations(), 1));
    round();  // The first tells nothing of what was before.
  }
  void round() {
    TestHub::require_value(collect_events(parts_));
    TestHub::require_value(send_due(parts_));
  }
  Webhook make(const std::string& user, std::vector<Watched> watched, std::vector<std::string> domains = {}) {
    return TestHub::require_value(webhooks_.create(hub_.caller(user), {.url = "https://ci.example.org/hook",
                                                                       .watched = std::move(watched),
                                                                       .domains = std::move(domains),
                                                                       .secret = Secret("sign-with-this")}));
  }
  json::object body(size_t index) {
    return TestHub::require_value(
        codec::parse_json_object(std::get<std::string>(receiver_.got.at(index).body)));
  }
  std::string text_at(const json::object& from, std::string_view part, std::string_view key) {
    return std::string(from.at(part).as_object().at(key).as_string());
  }

  TestHub hub_;
  Receiver receiver_;
  Webhooks webhooks_{hub_.database(), hub_.clock(), hub_.random(), Secret(std::string(64, 'd'))};
  WebhookSenderParts parts_{.webhooks = webhooks_,
                            .database = hub_.database(),
                            .accounts = hub_.accounts(),
                            .audit = hub_.audit(),
                            .hub = hub_.hub(),
                            .client = receiver_,
                            .public_url = "https://hub.example.org",
                            .clock = hub_.clock(),
                            .log = hub_.log(),
                            .metrics = hub_.metrics()};
};

TEST_F(WebhooksTest, ACommitIsToldSignedToWhoWatches) {
  make("ada", {{"model", "lab/engine"}});
  const repo::Repository engine = hub_.create("ada", "lab/engine"), other = hub_.create("ada", "lab/other");
  TestHub::require_value(hub_.commit(hub_.caller("ada"), engine, "a.txt", "text"));
  TestHub::require_value(hub_.commit(hub_.caller("ada"), other, "a.txt", "text"));
  round();
  ASSERT_GE(receiver_.got.size(), 2U);
  const json::object created = body(0), last = body(receiver_.got.size() - 1);
  EXPECT_EQ(text_at(created, "event", "action"), "create");
  EXPECT_EQ(text_at(created, "event", "scope"), "repo");
  EXPECT_EQ(text_at(last, "event", "scope"), "repo.content");
  EXPECT_EQ(text_at(last, "repo", "name"), "lab/engine");
  EXPECT_EQ(last.at("updatedRefs").as_array().at(0).as_object().at("ref").as_string(), "refs/heads/main");
  EXPECT_EQ(text_at(last, "repo", "headSha"),
            last.at("updatedRefs").as_array().at(0).as_object().at("newSha").as_string());
  EXPECT_EQ(last.at("webhook").as_object().at("version").as_int64(), 3);
  for (const net::ClientRequest& request : receiver_.got) {
    const std::string text = std::get<std::string>(request.body);
    const std::string mark(request.headers.get("X-Holdfast-Signature"));
    const std::string seconds = mark.substr(2, mark.find(',') - 2);
    const auto digest = codec::hmac_sha256(as_bytes("sign-with-this"), as_bytes(seconds + "." + text));
    EXPECT_EQ(mark, "t=" + seconds + ",v1=" + codec::to_hex(digest));
    EXPECT_EQ(request.headers.get("X-Webhook-Secret"), "sign-with-this");
  }
}

TEST_F(WebhooksTest, WhoMayNotSeeARepositoryHearsNothingOfIt) {
  make("bob", {{"org", "lab"}});
  make("rea", {{"org", "lab"}});
  const repo::Repository secret = hub_.create("ada", "lab/secret", repo::Visibility::private_);
  TestHub::require_value(hub_.commit(hub_.caller("ada"), secret, "a.txt", "text"));
  round();
  ASSERT_FALSE(receiver_.got.empty());
  const auto rea = TestHub::require_value(webhooks_.list(hub_.caller("rea")));
  for (size_t i = 0; i < receiver_.got.size(); ++i) EXPECT_EQ(text_at(body(i), "webhook", "id"), rea[0].id);
}

TEST_F(WebhooksTest, WhatIsNotTakenComesAgainAndIsGivenUpInTheEnd) {
  const Webhook webhook = make("ada", {{"model", "lab/engine"}});
  receiver_.status = 500;
  const repo::Repository engine = hub_.create("ada", "lab/engine");
  round();
  EXPECT_EQ(receiver_.got.size(), 1U) << "after a failure the others wait for the next round";
  round();
  const size_t told = receiver_.got.size();
  EXPECT_EQ(told, 2U) << "of the repository, and of its first commit";
  round();
  EXPECT_EQ(receiver_.got.size(), told) << "it did not wait";
  hub_.clock().advance(std::chrono::seconds(11));
  receiver_.status = 200;
  round();
  round();
  auto log = TestHub::require_value(webhooks_.deliveries(hub_.caller("ada"), webhook.id));
  for (const Delivery& each : log) EXPECT_EQ(each.state, "delivered") << each.event;
  EXPECT_EQ(log.back().attempts, 2);
  EXPECT_EQ(log.back().answer, "thanks");

  receiver_.silent = true;
  TestHub::require_value(hub_.commit(hub_.caller("ada"), engine, "a.txt", "text"));
  for (int i = 0; i < 10; ++i) {
    round();
    hub_.clock().advance(std::chrono::hours(7));
  }
  log = TestHub::require_value(webhooks_.deliveries(hub_.caller("ada"), webhook.id));
  EXPECT_EQ(log.front().state, "failed");
  EXPECT_EQ(log.front().attempts, 7);
  receiver_.silent = false;
  const size_t before = receiver_.got.size();
  TestHub::require_value(webhooks_.replay(hub_.caller("ada"), webhook.id, log.front().id));
  round();
  EXPECT_EQ(receiver_.got.size(), before + 1);
  EXPECT_EQ(std::get<std::string>(receiver_.got.back().body), log.front().body);
}

TEST_F(WebhooksTest, AForbiddenAddressIsNotTriedAgain) {
  const Webhook webhook = make("ada", {{"model", "lab/engine"}});
  receiver_.refuses = true;
  hub_.create("ada", "lab/engine");
  round();
  const auto log = TestHub::require_value(webhooks_.deliveries(hub_.caller("ada"), webhook.id));
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.back().state, "failed");
  EXPECT_EQ(log.back().attempts, 1);
}

TEST_F(WebhooksTest, DiscussionsAreADomainOfTheirOwn) {
  make("ada", {{"model", "lab/engine"}}, {"discussion"});
  const repo::Repository engine = hub_.create("ada", "lab/engine");
  const auto opened = TestHub::require_value(hub_.hub().discussions.open(
      hub_.caller("bob"), engine,
      {.title = "A question", .description = "Why?", .kind = repo::DiscussionKind::discussion}));
  TestHub::require_value(
      hub_.hub().discussions.comment(hub_.caller("ada"), engine, opened.number, "Because."));
  round();
  ASSERT_EQ(receiver_.got.size(), 2U);
  EXPECT_EQ(text_at(body(0), "event", "scope"), "discussion");
  EXPECT_EQ(text_at(body(0), "discussion", "title"), "A question");
  EXPECT_EQ(text_at(body(1), "event", "scope"), "discussion.comment");
  EXPECT_EQ(text_at(body(1), "comment", "content"), "Because.");
}

TEST_F(WebhooksTest, ALeakedTokenIsToldToItsUserAlone) {
  make("ada", {{"user", "ada"}});
  make("bob", {{"user", "ada"}, {"user", "bob"}});
  TestHub::require(hub_.database().write([&](sql::Transaction& tx) {
    return hub_.audit().append(
        tx, {.actor = "(scan)",
             .action = "token.revoked",
             .subject = "ada",
             .details = {{"token", "7"}, {"label", "laptop"}, {"role", "write"}, {"found_in", "notes.md"}}});
  }));
  round();
  ASSERT_EQ(receiver_.got.size(), 1U);
  EXPECT_EQ(text_at(body(0), "event", "scope"), "token");
  EXPECT_EQ(text_at(body(0), "token", "name"), "laptop");
  EXPECT_EQ(text_at(body(0), "token", "foundIn"), "notes.md");
  EXPECT_FALSE(body(0).contains("repo"));
}

TEST_F(WebhooksTest, ATokenThatGrowsOldIsToldToItsUserAlone) {
  make("ada", {{"user", "ada"}});
  make("bob", {{"user", "ada"}, {"user", "bob"}});
  for (const char* action : {"token.ageing", "token.ended_by_age"})
    TestHub::require(hub_.database().write([&](sql::Transaction& tx) {
      return hub_.audit().append(tx, {.actor = "(age)",
                                      .action = action,
                                      .subject = "ada",
                                      .details = {{"token", "7"},
                                                  {"label", "laptop"},
                                                  {"role", "write"},
                                                  {"made", "2026-01-01T00:00:00.000Z"},
                                                  {"ends", "2026-04-01T00:00:00.000Z"},
                                                  {"by", "this server"}}});
    }));
  round();
  ASSERT_EQ(receiver_.got.size(), 2U);
  EXPECT_EQ(text_at(body(0), "event", "action"), "update");
  EXPECT_EQ(text_at(body(0), "event", "scope"), "token");
  EXPECT_EQ(text_at(body(0), "token", "endsAt"), "2026-04-01T00:00:00.000Z");
  EXPECT_EQ(text_at(body(0), "token", "endsBy"), "this server");
  EXPECT_EQ(text_at(body(1), "event", "action"), "delete");
}

TEST_F(WebhooksTest, AreTheirOwnersAlone) {
  const Webhook webhook = make("ada", {{"org", "lab"}});
  const identity::Caller bob = hub_.caller("bob"), ada = hub_.caller("ada");
  EXPECT_EQ(webhooks_.find(bob, webhook.id).error().code, Code::not_found);
  EXPECT_EQ(webhooks_.remove(bob, webhook.id).error().code, Code::not_found);
  EXPECT_TRUE(TestHub::require_value(webhooks_.list(bob)).empty());
  EXPECT_TRUE(TestHub::require_value(webhooks_.turn(ada, webhook.id, Webhooks::Switch::off)).disabled);
  hub_.create("ada", "lab/engine");
  round();
  EXPECT_TRUE(receiver_.got.empty()) << "it was off";
  EXPECT_FALSE(TestHub::require_value(webhooks_.turn(ada, webhook.id, Webhooks::Switch::on)).disabled);
  const Webhook changed = TestHub::require_value(
      webhooks_.change(ada, webhook.id, {.url = "https://new.example.org/", .secret = Secret("another")}));
  EXPECT_EQ(changed.url, "https://new.example.org/");
  EXPECT_EQ(changed.watched.size(), 1U);
  EXPECT_EQ(TestHub::require_value(webhooks_.find(ada, webhook.id)).secret.reveal(), "another");
  for (const char* url : {"ftp://a/b", "https://a b", "", "file:///etc/passwd"})
    EXPECT_FALSE(webhooks_.create(ada, {.url = url, .watched = {{"org", "lab"}}}).ok()) << url;
  EXPECT_FALSE(webhooks_.create(ada, {.url = "https://a/b"}).ok()) << "watches nothing";
}

}  // namespace
}  // namespace holdfast::exchange
