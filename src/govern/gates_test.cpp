#include "govern/gates.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace holdfast::govern {
namespace {

constexpr WallTime noon{std::chrono::milliseconds{1'700'000'000'000}};

// A release of tier production that has everything but approvals.
Facts complete() {
  Facts facts;
  facts.record =
      read_record_text(
          "record: lab/support\nuse: x\nowner: y\noncall: [z]\ntier: production\nmodel: lab/m\ntask: t\n"
          "features: [f]\ndata_class: internal\npurpose: commercial\nprompt: none\npreprocessing: none\n"
          "evaluation: {dataset: lab/d, split: test}\nmonitoring: {}\nrollback: previous\n"
          "deployment: {kind: hosted}\n")
          .value()
          .record;
  facts.release = {
      .record = "lab/support", .number = 1, .revision = "r1", .author = "ada", .authors = {"ada"}};
  facts.criteria = {
      {.number = 1, .at = noon, .by = "ada", .metrics = {{.metric = "accuracy", .at_least = 0.8}}}};
  int64_t id = 0;
  for (const char* kind : {"licence", "scan", "card"})
    facts.evidence.push_back({.id = ++id, .kind = kind, .at = noon, .body = {{"verdict", "pass"}}});
  facts.evidence.push_back(
      {.id = 4,
       .kind = "evaluation",
       .rows = 200,
       .at = noon,
       .body = {{"revision", "r1"},
                {"dataset", "lab/d"},
                {"split", "test"},
                {"began", format_time(noon + std::chrono::seconds(1))},
                {"metrics",
                 boost::json::object{
                     {"accuracy", boost::json::object{{"value", 0.9}, {"low", 0.86}, {"high", 0.94}}}}},
                {"slices", boost::json::object{
                               {"kind:sensitive", boost::json::object{{"rows", 5}, {"accuracy", 0.6}}}}}}});
  facts.now = noon + std::chrono::hours(1);
  return facts;
}

TEST(Gates, EachSaysWhatItMisses) {
  struct Case {
    const char* name;
    void (*change)(Facts&);
    const char* gate;
    GateState state;
    const char* says;
  };
  const Case cases[] = {
      {"all is there", [](Facts&) {}, "evaluation", GateState::passed, ""},
      {"no owner", [](Facts& f) { f.record.owner.clear(); }, "record", GateState::waiting, "owner"},
      {"no criteria", [](Facts& f) { f.criteria.clear(); }, "evaluation", GateState::waiting, "no criteria"},
      {"no evaluation", [](Facts& f) { f.evidence.pop_back(); }, "evaluation", GateState::waiting,
       "no evaluation"},
      {"criteria after the run", [](Facts& f) { f.criteria[0].at = noon + std::chrono::hours(1); },
       "evaluation", GateState::refused, "criteria changed after the run"},
      {"another revision", [](Facts& f) { f.evidence.back().body["revision"] = "r2"; }, "evaluation",
       GateState::refused, "another revision"},
      {"a benchmark of others", [](Facts& f) { f.evidence.back().body["dataset"] = "glue"; }, "evaluation",
       GateState::refused, "benchmark"},
      {"too low", [](Facts& f) { f.criteria[0].metrics[0].at_least = 0.95; }, "evaluation",
       GateState::refused, "below 0.95"},
      // An interval of ±0.04 by 200 rows becomes ±0.02 by 800.
      {"too few rows for the margin", [](Facts& f) { f.criteria[0].metrics[0].margin = 0.02; }, "evaluation",
       GateState::waiting, "600 more rows"},
      {"a category that is short", [](Facts& f) { f.criteria[0].categories_min = {{"sensitive", 20}}; },
       "evaluation", GateState::waiting, "15 more rows of sensitive"},
      {"a category that is missing", [](Facts& f) { f.criteria[0].categories_min = {{"edge", 3}}; },
       "evaluation", GateState::waiting, "3 more rows of edge"},
      {"a slice too low",
       [](Facts& f) {
         f.criteria[0].metrics.push_back({.metric = "accuracy", .at_least = 0.8, .slice = "kind:sensitive"});
       },
       "evaluation", GateState::refused, "kind:sensitive"},
      {"a licence that forbids", [](Facts& f) { f.evidence[0].body = {{"verdict", "fail"}, {"why", "nc"}}; },
       "licence", GateState::refused, "nc"},
      {"a trigger that was found",
       [](Facts& f) {
         Evidence one = f.evidence[0];
         one.kind = "triggers";
         one.body = {{"verdict", "fail"}, {"why", "cf"}};
         f.evidence.push_back(one);
       },
       "triggers", GateState::refused, "cf"},
      {"a licence nobody knows",
       [](Facts& f) { f.evidence[0].body = {{"verdict", "review"}, {"why", "unknown"}}; }, "licence",
       GateState::waiting, "unknown"},
      {"golden examples that were not run", [](Facts& f) { f.golden = {1, 2}; }, "golden", GateState::waiting,
       "not run"},
      {"golden examples that fail",
       [](Facts& f) {
         f.golden = {1, 2};
         f.evidence.push_back(
             {.id = 9, .kind = "golden", .body = {{"examples", 2}, {"failed", boost::json::array{1}}}});
       },
       "golden", GateState::refused, "fail"},
  };
  for (const Case& test : cases) {
    Facts facts = complete();
    test.change(facts);
    bool found = false;
    for (const GateOutcome& outcome : ask_gates(facts, Step::validate)) {
      if (outcome.gate != test.gate) continue;
      found = true;
      EXPECT_EQ(gate_state_name(outcome.state), gate_state_name(test.state))
          << test.name << ": " << outcome.reason;
      EXPECT_NE(outcome.reason.find(test.says), std::string::npos) << test.name << ": " << outcome.reason;
    }
    EXPECT_TRUE(found) << test.name;
  }
}

TEST(Gates, ApprovalsAreMissedRoleByRoleAndAFreezeStopsAll) {
  Facts facts = complete();
  facts.roles_held = {"owner"};
  const GateOutcome outcome = approvals_gate(facts);
  ASSERT_EQ(outcome.missing.size(), 2U);
  EXPECT_EQ(outcome.missing[0].action, "approve");
  EXPECT_EQ(outcome.missing[1].action, "grant_role");
  facts.approvals = {{.user = "olga", .role = "owner"}, {.user = "rob", .role = "reviewer"}};
  EXPECT_TRUE(all_passed(ask_gates(facts, Step::deploy)));
  facts.freeze = Freeze{"an incident", "(watch)", noon};
  EXPECT_FALSE(all_passed(ask_gates(facts, Step::deploy)));
  EXPECT_TRUE(all_passed(ask_gates(facts, Step::validate)));
}

TEST(Gates, APrototypeMeetsNone) {
  Facts facts;
  EXPECT_TRUE(all_passed(ask_gates(facts, Step::deploy)));
}

}  // namespace
}  // namespace holdfast::govern
