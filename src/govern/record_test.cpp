#include "govern/record.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::govern {
namespace {

std::string problems(const std::string& text) {
  const auto read = read_record_text(text);
  if (!read.ok()) return "unreadable";
  std::string out;
  for (const FieldProblem& problem : read.value().problems) out += problem.field + ";";
  return out;
}

TEST(Record, WhatIsWrongIsNamedFieldByField) {
  const std::string good = "record: a/b\nmodel: a/m\n";
  struct Case {
    const char* name;
    std::string text, problems;
  };
  const Case cases[] = {
      {"the least there is", good, ""},
      {"no model", "record: a/b\n", "model;"},
      {"a name without namespace", "record: b\nmodel: a/m\n", "record;"},
      {"an unknown tier", good + "tier: gold\n", "tier;"},
      {"an unknown field", good + "ower: me\n", "ower;"},
      {"a field of a section", good + "monitoring: {acuracy: 1}\n", "monitoring.acuracy;"},
      {"a text where a list must be", good + "features: 3\n", "features;"},
      {"a share above its bound", good + "deployment: {canary_percent: 90}\n", "deployment.canary_percent;"},
      {"a rollback that is no number", good + "rollback: v1\n", "rollback;"},
      {"a list", "- a\n", "unreadable"},
  };
  for (const Case& test : cases) EXPECT_EQ(problems(test.text), test.problems) << test.name;
}

TEST(Record, ATierNeedsMoreThanTheOneBelow) {
  size_t before = 0;
  for (const char* tier : {"prototype", "internal", "production", "regulated"}) {
    const auto read = read_record_text(std::string("record: a/b\nmodel: a/m\ntier: ") + tier).value();
    const size_t missing = missing_fields(read.record).size();
    EXPECT_GE(missing, before) << tier;
    before = missing;
  }
  EXPECT_EQ(missing_fields(read_record_text("record: a/b\nmodel: a/m").value().record).size(), 0U);
  EXPECT_EQ(before, 13U);
}

TEST(Record, ItsJsonReadsBackEqual) {
  const auto read = read_record_text(
                        "record: a/b\nmodel: a/m\ntier: production\nfeatures: [x, y]\nrollback: 3\n"
                        "monitoring: {p95_ms_max: 200}\n")
                        .value();
  const auto json = record_json(read.record);
  const auto again = read_record(json);
  EXPECT_TRUE(again.problems.empty());
  EXPECT_EQ(codec::to_text(record_json(again.record)), codec::to_text(json));
}

}  // namespace
}  // namespace holdfast::govern
