#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "govern/registry.h"
#include "govern/schema.h"
#include "repo/hub_test_kit.h"

namespace holdfast::govern {

using repo::TestHub;

// What a checker would say; tests change it.
class FixedChecker final : public Checker {
 public:
  std::string licence = "pass", scan = "pass", card = "pass";
  Result<std::vector<CheckedFact>> check(const repo::Repository&, const git::ObjectId&,
                                         const Record&) override {
    return std::vector<CheckedFact>{{"licence", {{"verdict", licence}, {"why", "as the test says"}}},
                                    {"scan", {{"verdict", scan}, {"why", "as the test says"}}},
                                    {"card", {{"verdict", card}, {"why", ""}}}};
  }
};

// A registry on a real hub: organisation lab, whose administrators are ada and dora; olga owns, rob reviews,
// both contributors. The model lab/intents has a record of tier production and a data set lab/messages.
class TestRegistry {
 public:
  TestRegistry() {
    TestHub::require(sql::migrate(hub.database(), migrations(), 1));
    for (const char* name : {"dora", "olga", "rob"}) hub.add_user(name);
    TestHub::require(hub.accounts().set_member("(test)", "lab", "dora", identity::OrgRole::admin));
    TestHub::require(hub.accounts().set_member("(test)", "lab", "olga", identity::OrgRole::contributor));
    TestHub::require(hub.accounts().set_member("(test)", "lab", "rob", identity::OrgRole::contributor));
    registry = std::make_unique<Registry>(RegistryParts{.database = hub.database(),
                                                        .permission = hub.permission(),
                                                        .accounts = hub.accounts(),
                                                        .audit = hub.audit(),
                                                        .hub = hub.hub(),
                                                        .checker = checker,
                                                        .instance_key = key,
                                                        .program_version = "test",
                                                        .clock = hub.clock(),
                                                        .random = hub.random(),
                                                        .log = hub.log()});
    model = hub.create("ada", "lab/intents");
    dataset = hub.create("ada", "lab/messages", repo::Visibility::public_, repo::RepoType::dataset);
    ada = hub.caller("ada");
    dora = hub.caller("dora");
    olga = hub.caller("olga");
    rob = hub.caller("rob");
  }

  static std::string yaml(const std::string& more = "") {
    return "record: lab/support\nuse: Route messages\nowner: platform\noncall: [olga]\ntier: production\n"
           "model: lab/intents\ntask: text-classification\nfeatures: [routing]\ndata_class: internal\n"
           "purpose: commercial\nprompt: none\npreprocessing: none\nevaluation: {dataset: lab/messages, "
           "split: test}\n"
           "monitoring: {accuracy_drop_max: 0.02}\nrollback: previous\ndeployment: {kind: hosted, "
           "canary_percent: 5}\n" +
           more;
  }
  void put_record(const std::string& text = yaml()) {
    const PutRecord put = TestHub::require_value(registry->records.put(ada, "lab/support", text));
    for (const FieldProblem& problem : put.problems) ADD_FAILURE() << problem.field << " " << problem.why;
  }
  void grant(const std::string& user, const std::string& role) {
    const Role proposed = TestHub::require_value(registry->roles.propose(ada, "lab", user, role));
    TestHub::require_value(registry->roles.confirm(dora, "lab", proposed.id));
  }
  void set_criteria() {
    TestHub::require_value(registry->records.add_criteria(
        ada, "lab/support",
        {{"metrics", boost::json::array{boost::json::object{{"name", "accuracy"}, {"at_least", 0.8}}}}}));
    hub.clock().advance(std::chrono::seconds(1));
  }
  // A new revision by ada, registered.
  Release release(const std::string& content) {
    const auto done = TestHub::require_value(hub.commit(ada, model, "config.json", content));
    return TestHub::require_value(registry->releases.create(ada, "lab/support", done.commit.hex(), ""));
  }
  NewEvidence evaluation(const Release& of, int right, int wrong) {
    if (data_revision_.empty())
      data_revision_ =
          TestHub::require_value(hub.commit(ada, dataset, "test.jsonl", "{\"n\": 1}\n")).commit.hex();
    NewEvidence wish{.kind = "evaluation"};
    const int rows = right + wrong;
    for (int i = 0; i < rows; ++i)
      wish.rows.push_back(
          {{"label", "a"}, {"predicted", i < right ? "a" : "b"}, {"kind", i % 2 == 0 ? "edge" : "normal"}});
    wish.body = {
        {"model", of.model},
        {"revision", of.revision},
        {"dataset", "lab/messages"},
        {"dataset_revision", data_revision_},
        {"split", "test"},
        {"began", format_time(hub.clock().wall())},
        {"metric_code", "test"},
        {"rows", rows},
        {"metrics", boost::json::object{{"accuracy", boost::json::object{{"value", right / double(rows)}}}}}};
    return wish;
  }
  void evaluate(const Release& of, int right = 900, int wrong = 100) {
    TestHub::require_value(
        registry->releases.add_evidence(ada, "lab/support", of.number, evaluation(of, right, wrong)));
  }
  Release step(int64_t number, Releases::Verb verb = Releases::Verb::promote) {
    Stepped stepped =
        TestHub::require_value(registry->releases.step(ada, "lab/support", number, verb, "test"));
    if (auto* refusal = std::get_if<Refusal>(&stepped)) {
      ADD_FAILURE() << refusal->message;
      return {};
    }
    return std::get<Release>(stepped);
  }
  Release deployed(const std::string& content) {
    const Release made = release(content);
    evaluate(made);
    step(made.number);
    TestHub::require_value(registry->releases.approve(olga, "lab/support", made.number, "owner", "fine"));
    TestHub::require_value(registry->releases.approve(rob, "lab/support", made.number, "reviewer", "fine"));
    return step(made.number, Releases::Verb::deploy);
  }
  void ready() {
    put_record();
    grant("olga", "owner");
    grant("rob", "reviewer");
    set_criteria();
  }

  serve::ReleaseQuestion question(std::string_view split_key = "k") const {
    return {.model = {model.id.raw, "lab/intents", std::string(40, '0')},
            .revision = serve::ReleaseQuestion::Revision::left_open,
            .user = "ada",
            .environment = {},
            .feature = {},
            .data_class = {},
            .key = split_key,
            .record = {}};
  }

  TestHub hub;
  FixedChecker checker;
  Secret key{std::string(64, 'b')};
  std::unique_ptr<Registry> registry;
  repo::Repository model, dataset;
  identity::Caller ada, dora, olga, rob;

 private:
  std::string data_revision_;
};

}  // namespace holdfast::govern
