#include "observe/endpoint_prober.h"

#include <gtest/gtest.h>

#include <map>

#include "io/temporary_folder.h"
#include "observe/schema.h"

namespace holdfast::observe {
namespace {

class ToldAsker final : public EndpointAsker {
 public:
  std::string revision = std::string(40, 'a');
  std::map<std::string, std::string> answers;  // By path; none: it fails.
  size_t asked = 0;

  Result<std::optional<serve::ReleaseAnswer>> standing(const std::string&) override {
    if (revision.empty()) return std::optional<serve::ReleaseAnswer>();
    serve::ReleaseAnswer by;
    by.model = {7, "lab/m", revision};
    return std::optional(by);
  }
  Result<std::string> ask(const Context&, const std::string&, const std::string& path,
                          const std::string&) override {
    ++asked;
    const auto found = answers.find(path);
    if (found == answers.end()) return fail(Reason::worker_failed, "gone");
    return found->second;
  }
};

class EndpointProberTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<sql::Migration> steps(migrations().begin(), migrations().end());
    ASSERT_TRUE(sql::migrate(*database, steps, 1).ok());
    asker.answers["embed"] = R"({"id":"1","v":[0.5,0.25]})";
    asker.answers["x"] = R"([{"label":"a","score":0.5}])";
    ASSERT_TRUE(set_probes(*database, "lab/e",
                           {{.path = "embed", .body = "{}"},
                            {.path = "x", .body = "{}", .stated = true, .answer = R"([{"label":"a"}])"}})
                    .ok());
  }
  std::string told() const {
    std::string out;
    for (const std::string& line : sink.lines()) out += line;
    return out;
  }
  void tick() { ASSERT_TRUE(prober.tick({}).ok()); }
  double count(const std::string& outcome) {
    const std::string line = "holdfast_probe_answers_total{endpoint=\"" + names.endpoint_of_model(7) +
                             "\",outcome=\"" + outcome + "\",version=\"" + asker.revision.substr(0, 12) +
                             "\"} ";
    const std::string text = metrics->text();
    const size_t at = text.find(line);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }

  io::TemporaryFolder folder;
  std::unique_ptr<sql::Database> database =
      std::move(sql::open_database("sqlite:" + (folder.path() / "p.db").string())).value();
  Secret key{std::string(64, 'b')};
  SeriesNames names{key};
  std::unique_ptr<Metrics> metrics = make_metrics();
  ManualTicks ticks;
  ManualClock clock;
  MemoryLogSink sink;
  Log log{sink, clock};
  ToldAsker asker;
  EndpointProber prober{{*database, asker, names, ticks, log, *metrics}};
};

TEST_F(EndpointProberTest, TheFirstAnswerOfARevisionIsWhatItsLaterOnesAreHeldTo) {
  tick();
  EXPECT_EQ(count("right"), 2);
  asker.answers["embed"] = R"({"id":"2","v":[0.5,0.25]})";
  tick();
  EXPECT_EQ(count("right"), 4) << "an answer's own number says nothing";
  asker.answers["embed"] = R"({"id":"3","v":[0.5,0.75]})";
  tick();
  EXPECT_EQ(count("wrong"), 1);
  EXPECT_NE(told().find("probe_found_unsound"), std::string::npos);
  EXPECT_EQ(told().find("0.75"), std::string::npos);
  EndpointProber again({*database, asker, names, ticks, log, *metrics});
  ASSERT_TRUE(again.tick({}).ok());
  EXPECT_EQ(count("wrong"), 2) << "it is known after a restart";
  asker.revision = std::string(40, 'b');
  tick();
  EXPECT_EQ(count("right"), 2) << "another revision may say something else";
  asker.answers["embed"] = R"({"id":"3","v":[0.5,0.8]})";
  tick();
  EXPECT_EQ(count("wrong"), 1);
}

TEST_F(EndpointProberTest, WhatWasStatedHoldsForEveryRevisionAndAFailureIsNoWrongAnswer) {
  asker.answers["x"] = R"([{"label":"b","score":0.5}])";
  asker.answers.erase("embed");
  tick();
  EXPECT_EQ(count("wrong"), 1);
  EXPECT_EQ(count("failed"), 1);
  asker.answers["embed"] = "[1]";
  asker.answers["x"] = R"([{"label":"a","score":0.1}])";
  tick();
  EXPECT_EQ(count("right"), 2);
  EXPECT_EQ(count("wrong"), 1);
}

TEST_F(EndpointProberTest, WhatDoesNotAnswerNowIsNotAskedAndSoAreOtherEndpoints) {
  const std::string revision = std::exchange(asker.revision, "");
  tick();
  EXPECT_EQ(asker.asked, 0U);
  asker.revision = revision;
  ASSERT_TRUE(set_probes(*database, "lab/e", {}).ok());
  tick();
  EXPECT_EQ(asker.asked, 0U);
}

TEST(EndpointProbes, TheSameIsWhatSaysTheSame) {
  struct Case {
    const char *wanted, *answer;
    bool stated, same;
  };
  for (const Case& one :
       std::initializer_list<Case>{{R"({"id":"a","created":1,"x":[1.0,2]})",
                                    R"({"id":"b","created":2,"x":[1.0000001,2.0]})", false, true},
                                   {R"({"x":1})", R"({"x":1.01})", false, false},
                                   {R"({"x":1})", R"({"x":1,"y":2})", false, false},
                                   {R"({"x":1})", R"({"x":1,"y":2})", true, true},
                                   {R"({"x":1,"y":2})", R"({"x":1})", true, false},
                                   {R"([1,2])", R"([1,2,3])", true, false},
                                   {R"("a")", R"("A")", true, false},
                                   {R"({"x":null})", R"({"x":0})", false, false}})
    EXPECT_EQ(says_the_same(one.wanted, one.stated, one.answer), one.same) << one.wanted << " " << one.answer;
}

}  // namespace
}  // namespace holdfast::observe
