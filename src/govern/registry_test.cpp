#include <gtest/gtest.h>

#include "govern/registry_fixture.h"

namespace holdfast::govern {
namespace {

template <class T>
void expect_refused(const Result<T>& result, Code code, const std::string& says) {
  ASSERT_FALSE(result.ok()) << says;
  EXPECT_EQ(code_name(result.error().code), code_name(code)) << result.error().message;
  EXPECT_NE(result.error().message.find(says), std::string::npos) << result.error().message;
}

serve::ServedCall answered(const serve::ReleaseAnswer& by, const std::string& id, const std::string& label,
                           double score = 0.9) {
  serve::ServedCall call{.id = id, .by = by, .user = "ada", .door = "task_model"};
  call.input = R"({"inputs": "text )" + id + "\"}";
  call.output = R"([{"label": ")" + label + R"(", "score": )" + std::to_string(score) + "}]";
  return call;
}

TEST(Registry, APromotionIsRefusedWithWhatIsMissingUntilItIsThere) {
  TestRegistry t;
  t.put_record("record: lab/support\nmodel: lab/intents\ntier: production\nfeatures: [routing]\n");
  const Release one = t.release("{}");
  Stepped stepped = TestHub::require_value(
      t.registry->releases.step(t.ada, "lab/support", one.number, Releases::Verb::promote, "go"));
  const auto* refusal = std::get_if<Refusal>(&stepped);
  ASSERT_NE(refusal, nullptr);
  std::string facts;
  for (const Missing& missing : refusal->missing) facts += missing.fact + " ";
  for (const char* fact : {"owner", "use", "rollback", "criteria"})
    EXPECT_NE(facts.find(fact), std::string::npos) << facts;
  t.put_record();
  t.set_criteria();
  t.evaluate(one);
  EXPECT_EQ(t.step(one.number).state, ReleaseState::validated);
}

TEST(Registry, TwoPeopleApproveInTheirRolesAndNoAuthorDoes) {
  TestRegistry t;
  t.put_record();
  t.set_criteria();
  const Release one = t.release("{}");
  t.evaluate(one);
  t.step(one.number);
  auto& releases = t.registry->releases;
  expect_refused(releases.approve(t.olga, "lab/support", 1, "owner", "fine"), Code::denied,
                 "does not have the role");
  // The role: one proposes, another confirms, neither gets it.
  const Role proposed = TestHub::require_value(t.registry->roles.propose(t.ada, "lab", "olga", "owner"));
  expect_refused(t.registry->roles.confirm(t.ada, "lab", proposed.id), Code::denied, "second person");
  expect_refused(t.registry->roles.propose(t.olga, "lab", "olga", "owner"), Code::denied, "administrators");
  EXPECT_EQ(TestHub::require_value(t.registry->roles.confirm(t.dora, "lab", proposed.id)).newcomer, true);
  t.grant("rob", "reviewer");
  t.grant("ada", "compliance");
  const Role self = TestHub::require_value(t.registry->roles.propose(t.dora, "lab", "ada", "owner"));
  expect_refused(t.registry->roles.confirm(t.ada, "lab", self.id), Code::denied, "who gets it");

  expect_refused(releases.approve(t.ada, "lab/support", 1, "compliance", "mine"), Code::denied, "author");
  expect_refused(releases.approve(t.olga, "lab/support", 1, "owner", ""), Code::invalid, "reason");
  expect_refused(
      releases.approve(t.hub.caller("olga", identity::TokenRole::read), "lab/support", 1, "owner", "x"),
      Code::denied, "token");
  EXPECT_EQ(TestHub::require_value(releases.approve(t.olga, "lab/support", 1, "owner", "fine")).state,
            ReleaseState::validated);
  expect_refused(releases.approve(t.olga, "lab/support", 1, "reviewer", "me again"), Code::denied, "role");
  expect_refused(t.registry->releases.approve(t.olga, "lab/support", 1, "owner", "twice"), Code::conflict,
                 "already");
  EXPECT_EQ(TestHub::require_value(releases.approve(t.rob, "lab/support", 1, "reviewer", "fine")).state,
            ReleaseState::approved);
  const Facts facts = TestHub::require_value(releases.facts(t.ada, "lab/support", 1));
  EXPECT_TRUE(facts.approvals.at(0).new_approver);
  // Later the same people are no newcomers any more.
  t.hub.clock().advance(std::chrono::hours(24 * 31));
  EXPECT_FALSE(TestHub::require_value(t.registry->roles.list("lab")).at(0).newcomer);
}

TEST(Registry, IllegalStepsAreConflicts) {
  TestRegistry t;
  t.ready();
  const Release one = t.release("{}");
  auto& releases = t.registry->releases;
  const auto step = [&](Releases::Verb verb) {
    return releases.step(t.ada, "lab/support", one.number, verb, "x");
  };
  expect_refused(step(Releases::Verb::deploy), Code::conflict, "candidate cannot deploy");
  expect_refused(step(Releases::Verb::canary), Code::conflict, "candidate cannot canary");
  expect_refused(releases.approve(t.olga, "lab/support", 1, "owner", "x"), Code::conflict, "candidate");
  expect_refused(releases.roll_back(t.ada, "lab/support", 1, 0, "x"), Code::conflict, "roll back");
  expect_refused(releases.create(t.ada, "lab/support", one.revision, ""), Code::conflict, "release 1");
  expect_refused(releases.facts(t.ada, "lab/support", 7), Code::not_found, "release 7");
  expect_refused(releases.facts(t.ada, "lab/nothing", 1), Code::not_found, "no record");
  expect_refused(releases.step(t.olga, "lab/support", 1, Releases::Verb::promote, "x"), Code::denied,
                 "write");
  TestHub::require_value(releases.retire(t.ada, "lab/support", 1, "x"));
  expect_refused(step(Releases::Verb::promote), Code::conflict, "retired");
}

TEST(Registry, EvidenceThatItsRowsDenyOrThatTheServerFindsOutItselfIsRefused) {
  TestRegistry t;
  t.ready();
  const Release one = t.release("{}");
  auto& releases = t.registry->releases;
  const auto add = [&](NewEvidence wish) { return releases.add_evidence(t.ada, "lab/support", 1, wish); };
  NewEvidence forged = t.evaluation(one, 50, 50);
  forged.body["metrics"] = boost::json::object{{"accuracy", 0.95}};
  expect_refused(add(forged), Code::invalid, "accuracy is 0.500000");
  NewEvidence short_of = t.evaluation(one, 50, 50);
  short_of.rows.pop_back();
  expect_refused(add(short_of), Code::invalid, "brings 99");
  NewEvidence elsewhere = t.evaluation(one, 50, 50);
  elsewhere.body["dataset"] = "others/data";
  expect_refused(add(elsewhere), Code::invalid, "dataset");
  NewEvidence other = t.evaluation(one, 50, 50);
  other.body["revision"] = std::string(40, 'a');
  expect_refused(add(other), Code::invalid, "revision");
  for (const char* found_out : {"licence", "golden", "comparison"})
    expect_refused(add({.kind = found_out, .body = {{"verdict", "pass"}}, .rows = {}}), Code::invalid,
                   "server");
  expect_refused(add({.kind = "legal", .body = {{"verdict", "pass"}}, .rows = {}}), Code::denied,
                 "role legal");
  const Evidence kept = TestHub::require_value(add(t.evaluation(one, 90, 10)));
  EXPECT_EQ(TestHub::require_value(releases.find_evidence(t.ada, kept.id)).evidence.digest, kept.digest);
  TestHub::require(t.hub.database().write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(
        tx.run("UPDATE govern_evidence SET body = REPLACE(body, '0.9', '0.99') WHERE id = ?", {kept.id}));
    return Done{};
  }));
  expect_refused(releases.find_evidence(t.ada, kept.id), Code::corrupt, "not what was stored");
}

TEST(Registry, AReleaseIsComparedWithTheOneThatAnswers) {
  TestRegistry t;
  t.ready();
  t.deployed("{\"n\": 1}");
  const Release worse = t.release("{\"n\": 2}"), good = t.release("{\"n\": 3}");
  t.evaluate(worse, 850, 150);
  t.evaluate(good, 905, 95);
  const auto facts_of = [&](const Release& release) {
    return TestHub::require_value(t.registry->releases.facts(t.ada, "lab/support", release.number));
  };
  const GateOutcome refused = non_inferiority_gate(facts_of(worse)),
                    passed = non_inferiority_gate(facts_of(good));
  EXPECT_EQ(refused.state, GateState::refused);
  EXPECT_NE(refused.reason.find("5.0 points below release 1's on the same 1000 rows"), std::string::npos)
      << refused.reason;
  EXPECT_EQ(passed.state, GateState::passed) << passed.reason;
  const auto stepped = TestHub::require_value(
      t.registry->releases.step(t.ada, "lab/support", worse.number, Releases::Verb::promote, "go"));
  const auto* refusal = std::get_if<Refusal>(&stepped);
  ASSERT_NE(refusal, nullptr) << "above its criteria, yet worse than what answers";
  EXPECT_EQ(refusal->missing.at(0).gate, "non_inferiority");
  EXPECT_TRUE(std::holds_alternative<Release>(TestHub::require_value(
      t.registry->releases.step(t.ada, "lab/support", good.number, Releases::Verb::promote, "go"))));
}

TEST(Registry, OnlyWhatIsApprovedAnswersByAnyWay) {
  TestRegistry t;
  auto& gate = t.registry->gatekeeper;
  // No record: everything local answers, but for a token that is bound.
  EXPECT_EQ(TestHub::require_value(gate.ask(t.question())).deployment, "on-demand");
  auto bound = t.question();
  bound.environment = "production";
  expect_refused(gate.ask(bound), Code::denied, "not approved");
  t.ready();
  expect_refused(gate.ask(t.question()), Code::denied, "no release");
  const Release one = t.deployed("{\"n\": 1}");
  const Release two = t.release("{\"n\": 2}");
  EXPECT_EQ(TestHub::require_value(gate.ask(t.question())).model.commit, one.revision);
  const auto named = [&](const Release& release, std::string_view environment = {}) {
    auto question = t.question();
    question.revision = serve::ReleaseQuestion::Revision::named;
    question.model.commit = release.revision;
    question.environment = environment;
    return gate.ask(question);
  };
  EXPECT_EQ(TestHub::require_value(named(one, "production")).deployment, "lab/support/1/stable");
  expect_refused(named(two), Code::denied, "candidate");
  expect_refused(named(one, "staging"), Code::denied, "environment");
  auto question = t.question();
  question.feature = "advertising";
  expect_refused(gate.ask(question), Code::denied, "feature");
  question.feature = "routing";
  question.data_class = "restricted";
  expect_refused(gate.ask(question), Code::denied, "internal at most");

  const auto commit = [](const Release& release) { return git::ObjectId::parse(release.revision).value(); };
  EXPECT_TRUE(gate.may_pull("production", t.model, commit(one)).ok());
  EXPECT_FALSE(gate.may_pull("staging", t.model, commit(one)).ok());
  EXPECT_FALSE(gate.may_pull("production", t.model, commit(two)).ok());
  const auto approved = TestHub::require_value(gate.approved("production", t.model));
  ASSERT_EQ(approved.size(), 1);
  EXPECT_EQ(approved[0].name, "release-1");
  EXPECT_EQ(approved[0].commit, commit(one));
  EXPECT_TRUE(TestHub::require_value(gate.approved("staging", t.model)).empty());
  const auto data = TestHub::require_value(gate.approved("production", t.dataset));
  ASSERT_EQ(data.size(), 1) << "the data that release 1 was judged on";
  EXPECT_TRUE(gate.may_pull("production", t.dataset, data[0].commit).ok());
  const auto later = TestHub::require_value(t.hub.commit(t.ada, t.dataset, "test.jsonl", "{}\n"));
  EXPECT_FALSE(gate.may_pull("production", t.dataset, later.commit).ok());
  EXPECT_FALSE(gate.may_pull("production", t.model, content::Sha256Digest{}).ok());
  expect_refused(t.registry->records.put(t.ada, "lab/support", "record: lab/support\nmodel: lab/intents\n"),
                 Code::conflict, "does not go from production to prototype");
}

TEST(Registry, ASplitIsStickyAndAsLargeAsItSays) {
  int canary = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "user-" + std::to_string(i);
    const bool taken = takes_canary("lab/support", key, 5);
    EXPECT_EQ(taken, takes_canary("lab/support", key, 5));
    canary += taken ? 1 : 0;
  }
  EXPECT_NEAR(canary / 100.0, 5.0, 0.7);
}

TEST(Registry, AnExceptionIsDatedByTwoPeopleAndEndsByItself) {
  TestRegistry t;
  t.ready();
  t.deployed("{\"n\": 1}");
  const Release two = t.release("{\"n\": 2}");
  auto& exceptions = t.registry->exceptions;
  const WallTime now = t.hub.clock().wall();
  expect_refused(exceptions.propose(t.ada, "lab/support", 2, "why", now - std::chrono::hours(1)),
                 Code::invalid, "over");
  expect_refused(exceptions.propose(t.ada, "lab/support", 2, "why", now + std::chrono::hours(24 * 31)),
                 Code::invalid, "30 days");
  const Exception proposed = TestHub::require_value(
      exceptions.propose(t.ada, "lab/support", 2, "a trial", now + std::chrono::hours(1)));
  expect_refused(t.registry->releases.step(t.ada, "lab/support", 2, Releases::Verb::canary, "x"),
                 Code::conflict, "candidate cannot canary");
  expect_refused(exceptions.confirm(t.ada, proposed.id, "me too"), Code::denied, "second person");
  expect_refused(exceptions.confirm(t.dora, proposed.id, "no role"), Code::denied, "no role");
  TestHub::require_value(exceptions.confirm(t.rob, proposed.id, "fine for an hour"));
  EXPECT_EQ(t.step(2, Releases::Verb::canary).state, ReleaseState::canary);
  expect_refused(t.registry->releases.step(t.ada, "lab/support", 2, Releases::Verb::deploy, "x"),
                 Code::conflict, "exception");
  t.hub.clock().advance(std::chrono::hours(2));
  TestHub::require(t.registry->watch.tick());
  EXPECT_EQ(TestHub::require_value(t.registry->releases.list(t.ada, "lab/support")).at(0).state,
            ReleaseState::rolled_back);
}

TEST(Registry, AWorseCanaryIsTakenBackWithAnIncidentAndAFreeze) {
  TestRegistry t;
  t.ready();
  const Release one = t.deployed("{\"n\": 1}");
  const Release two = t.release("{\"n\": 2}");
  const Exception proposed = TestHub::require_value(t.registry->exceptions.propose(
      t.ada, "lab/support", 2, "a trial", t.hub.clock().wall() + std::chrono::hours(5)));
  TestHub::require_value(t.registry->exceptions.confirm(t.rob, proposed.id, "fine"));
  t.step(2, Releases::Verb::canary);
  auto& requests = t.registry->requests;
  int sent = 0, of_canary = 0;
  for (; sent < 4000 && TestHub::require_value(t.registry->watch.figures("lab/support")); sent += 50) {
    std::vector<Feedback> labels;
    for (int i = sent; i < sent + 50; ++i) {
      const std::string id = "request-" + std::to_string(i);
      const auto by = TestHub::require_value(t.registry->gatekeeper.ask(t.question(id)));
      const bool canary = by.release == two.number;
      of_canary += canary ? 1 : 0;
      t.registry->gatekeeper.served(answered(by, id, i % (canary ? 2 : 10) == 0 ? "wrong" : "right"));
      labels.push_back({.request = id, .item = 0, .label = "right"});
    }
    t.hub.clock().advance(std::chrono::seconds(1));
    TestHub::require_value(requests.label(t.ada, labels));
    TestHub::require(t.registry->watch.look("lab/support"));
  }
  EXPECT_LT(sent, 4000) << "seen within 4,000 requests";
  EXPECT_GT(of_canary, 0);
  EXPECT_EQ(TestHub::require_value(t.registry->gatekeeper.ask(t.question())).release, one.number);
  const auto incidents = TestHub::require_value(t.registry->watch.incidents(t.ada, "lab/support", "open"));
  ASSERT_EQ(incidents.size(), 1U);
  EXPECT_FALSE(incidents[0].body.at("samples").as_array().empty());
  EXPECT_EQ(incidents[0].body.at("versions").as_object().at("restored").as_int64(), 1);
  const Release three = t.release("{\"n\": 3}");
  t.evaluate(three);
  t.step(3);
  expect_refused(t.registry->releases.step(t.ada, "lab/support", 3, Releases::Verb::promote, "x"),
                 Code::conflict, "frozen");
  TestHub::require_value(t.registry->watch.close(t.ada, incidents[0].id, "understood"));
  TestHub::require(
      t.registry->records.set_frozen(t.ada, "lab/support", Records::Freezing::unfreeze, "understood"));
  // A reviewer edits what failed: the rows become a revision, and what every later release must pass.
  const auto open = TestHub::require_value(t.registry->review.list(t.ada, "lab/support", "open"));
  ASSERT_GE(open.size(), 2U);
  TestHub::require_value(t.registry->review.judge(t.ada, open[0].id, "edit", "right", ""));
  TestHub::require_value(t.registry->review.judge(t.ada, open[1].id, "reject", "", "not a message"));
  const auto exported =
      TestHub::require_value(t.registry->review.export_rows(t.ada, "lab/support", "lab/messages"));
  EXPECT_EQ(exported.rows, 2);
  EXPECT_EQ(exported.golden, 1);
  EXPECT_EQ(TestHub::require_value(t.registry->review.golden(t.ada, "lab/support")).at(0).label, "right");
  Stepped stepped = TestHub::require_value(
      t.registry->releases.step(t.ada, "lab/support", 3, Releases::Verb::promote, "x"));
  EXPECT_NE(std::get_if<Refusal>(&stepped), nullptr) << "the golden examples were not run yet";
}

TEST(Registry, ARollbackByHandReturnsToTheReleaseBefore) {
  TestRegistry t;
  t.ready();
  t.deployed("{\"n\": 1}");
  t.deployed("{\"n\": 2}");
  EXPECT_EQ(TestHub::require_value(t.registry->gatekeeper.ask(t.question())).release, 2);
  expect_refused(t.registry->releases.roll_back(t.olga, "lab/support", 2, 0, "x"), Code::denied, "on call");
  t.grant("olga", "oncall");
  TestHub::require_value(t.registry->releases.roll_back(t.olga, "lab/support", 2, 0, "it smells"));
  EXPECT_EQ(TestHub::require_value(t.registry->gatekeeper.ask(t.question())).release, 1);
}

TEST(Registry, LabelsForWhatIsNotKnownAreNotFoundAndASecondOneIsAConflict) {
  TestRegistry t;
  t.ready();
  t.deployed("{\"n\": 1}");
  auto& requests = t.registry->requests;
  expect_refused(requests.label(t.ada, {{.request = "nothing", .item = 0, .label = "a"}}), Code::not_found,
                 "no such");
  requests.take(answered(TestHub::require_value(t.registry->gatekeeper.ask(t.question())), "r1", "a"));
  expect_refused(requests.label(t.hub.caller("bob"), {{.request = "r1", .item = 0, .label = "b"}}),
                 Code::denied, "who asked");
  TestHub::require_value(requests.label(t.ada, {{.request = "r1", .item = 0, .label = "b"}}));
  TestHub::require_value(requests.label(t.ada, {{.request = "r1", .item = 0, .label = "b"}}));
  expect_refused(requests.label(t.ada, {{.request = "r1", .item = 0, .label = "c"}}), Code::conflict,
                 "another label");
  expect_refused(requests.label(t.ada, {{.request = "r1", .item = 5, .label = "c"}}), Code::not_found,
                 "prediction 5");
  expect_refused(requests.label(t.ada, {}), Code::invalid, "1 to");
  const auto kept = TestHub::require_value(requests.find(t.ada, "r1", Requests::Content::with));
  EXPECT_EQ(*kept.input, "{\"inputs\": \"text r1\"}");
  TestHub::require(t.registry->keys.destroy(DataClass::internal));
  EXPECT_FALSE(requests.find(t.ada, "r1", Requests::Content::with).ok()) << "its key is gone";
}

TEST(Registry, EveryDecisionIsInTheChainedLogAndItsTimesNeverGoBack) {
  TestRegistry t;
  t.ready();
  t.deployed("{\"n\": 1}");
  t.hub.clock().advance(-std::chrono::hours(10));
  const Release two = t.release("{\"n\": 2}");
  const auto decisions = TestHub::require_value(t.registry->decisions.list("lab/support", std::nullopt));
  ASSERT_GT(decisions.size(), 5U);
  EXPECT_EQ(decisions.front().action, "record.created");
  const auto verdict = TestHub::require_value(t.hub.audit().verify(t.hub.database()));
  EXPECT_TRUE(verdict.sound()) << verdict.why;
  EXPECT_GE(two.at, decisions[decisions.size() - 5].at);
  EXPECT_NE(decisions_markdown("lab/support", decisions).find("| release.approved |"), std::string::npos);
  TestHub::require(t.hub.database().write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("UPDATE identity_audit SET actor = 'rob' WHERE number = ?", {decisions[3].number}));
    return Done{};
  }));
  EXPECT_FALSE(TestHub::require_value(t.hub.audit().verify(t.hub.database())).sound());
}

TEST(Registry, WhoDoesNotSeeTheModelDoesNotSeeItsRecord) {
  TestRegistry t;
  t.hub.create("ada", "lab/secret", repo::Visibility::private_);
  const std::string text = "record: lab/hush\nmodel: lab/secret\n";
  TestHub::require_value(t.registry->records.put(t.ada, "lab/hush", text));
  expect_refused(t.registry->records.find(t.hub.caller("bob"), "lab/hush"), Code::not_found, "no record");
  EXPECT_EQ(TestHub::require_value(t.registry->records.find(t.ada, "lab/hush")).source, text);
  const auto strangers =
      t.registry->records.put(t.hub.caller("bob"), "bob/mine", "record: bob/mine\nmodel: lab/intents\n");
  expect_refused(strangers, Code::denied, "write to its model");
}

}  // namespace
}  // namespace holdfast::govern
