#include "govern/comparison.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "govern/gates.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

json::object body(const char* revision = "r1", const char* split = "test") {
  return {{"dataset", "lab/d"}, {"dataset_revision", revision}, {"split", split}};
}
json::value row(const char* id, const char* label, const char* predicted) {
  return json::object{{"id", id}, {"label", label}, {"predicted", predicted}};
}

TEST(Comparison, RowsArePairedByTheirIds) {
  const json::array ours = {row("1", "a", "a"), row("2", "a", "b"), row("3", "b", "b"), row("4", "b", "a"),
                            row("9", "a", "a")};
  const json::array theirs = {row("4", "b", "b"), row("3", "b", "a"), row("2", "a", "b"), row("1", "a", "a"),
                              row("8", "a", "a")};
  const json::object early = body(), late = body("r2");  // A later revision may still hold the same rows.
  const auto counts = compare_rows({late, ours}, {early, theirs});
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->rows, 4);
  EXPECT_EQ(counts->only_candidate, 1);
  EXPECT_EQ(counts->only_baseline, 1);
}

TEST(Comparison, OtherRowsAreNotCompared) {
  const json::array ours = {row("1", "a", "a")}, changed = {row("1", "b", "a")};
  const json::object data = body(), other_split = body("r1", "validation");
  EXPECT_FALSE(compare_rows({data, ours}, {data, changed})) << "the label was changed";
  EXPECT_FALSE(compare_rows({data, ours}, {other_split, ours}));
  const json::array unnamed = {json::object{{"label", "a"}, {"predicted", "a"}}};
  const json::object later = body("r2");
  EXPECT_TRUE(compare_rows({data, unnamed}, {data, unnamed}));
  EXPECT_FALSE(compare_rows({later, unnamed}, {data, unnamed}))
      << "without ids the order of another revision says nothing";
}

Facts facts_with(int64_t rows, int64_t only_candidate, int64_t only_baseline, int64_t baseline = 1) {
  Facts facts;
  facts.record.accuracy_drop_max = 0.05;
  facts.stable = 1;
  facts.evidence.push_back({.id = 7, .release = 2, .kind = "evaluation"});
  facts.evidence.push_back({.id = 8,
                            .release = 2,
                            .kind = "comparison",
                            .body = {{"baseline", baseline},
                                     {"evaluation", 7},
                                     {"rows", rows},
                                     {"only_candidate", only_candidate},
                                     {"only_baseline", only_baseline}}});
  return facts;
}

TEST(NonInferiorityGate, OnlyWhatIsShownToBeNoWorsePasses) {
  struct Case {
    const char* name;
    Facts facts;
    GateState state;
    const char* reason;
  };
  const Case cases[] = {
      {"as good", facts_with(1000, 40, 45), GateState::passed, ""},
      {"better", facts_with(300, 40, 5), GateState::passed, ""},
      {"far worse", facts_with(1000, 20, 300), GateState::refused, "28.0 points below release 1's"},
      {"as good on too few rows", facts_with(60, 5, 5), GateState::waiting, "more rows"},
      {"compared with another release", facts_with(1000, 40, 45, 3), GateState::waiting,
       "release 1, which answers now"},
  };
  for (const Case& one : cases) {
    const GateOutcome outcome = non_inferiority_gate(one.facts);
    EXPECT_EQ(outcome.state, one.state) << one.name << ": " << outcome.reason;
    EXPECT_NE(outcome.reason.find(one.reason), std::string::npos) << one.name << ": " << outcome.reason;
  }
}

TEST(NonInferiorityGate, AnOlderComparisonDoesNotSpeakForANewerRun) {
  Facts facts = facts_with(1000, 40, 45);
  facts.evidence.push_back({.id = 9, .release = 2, .kind = "evaluation"});
  EXPECT_EQ(non_inferiority_gate(facts).state, GateState::waiting);
}

}  // namespace
}  // namespace holdfast::govern
