#include "observe/desk.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::observe {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct DeskTest : ::testing::Test {
  serve::ServedCall call(int64_t release, std::string input = "hello", std::string output = "[]") {
    serve::ServedCall out{.id = std::string(32, '7'),
                          .by = {.model = {4, "lab/intents", std::string(40, 'c')},
                                 .deployment = "lab/support/" + std::to_string(release) + "/stable",
                                 .tokenizer = std::string(64, 'd'),
                                 .record = "lab/support",
                                 .feature = "routing",
                                 .release = release},
                          .user = "ada",
                          .door = "task_model",
                          .captures = {},
                          .content_type = "application/json",
                          .input = std::move(input),
                          .output = std::move(output)};
    return out;
  }
  static serve::Work work(microseconds load = {}) {
    return {.queue = microseconds(1000),
            .load = load,
            .tokenize = microseconds(500),
            .model = microseconds(8000),
            .post = microseconds(100),
            .busy = microseconds(3600),
            .inputs = 2,
            .tokens = 14,
            .unknown_tokens = 1};
  }
  double value(const std::string& line) const {
    const std::string text = metrics->text();
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
  std::string labels(const char* more = "") const {
    return "{endpoint=\"" + names.endpoint_of("lab/support") + "\"" + more + ",version=\"2\"}";
  }

  Secret key{std::string(64, 'a')};
  ManualTicks ticks;
  ManualClock clock;
  SeededRandom random{5};
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  SeriesNames names{key};
  Desk desk{{.price_per_hour = 3.6}, {names, key, clock, ticks, random, log, *metrics}};
};

TEST_F(DeskTest, EveryRequestIsCountedOnceUnderItsReleaseByHowItEnded) {
  const serve::ServedCall good = call(2);
  for (int i = 0; i < 97; ++i) desk.served({.call = good, .work = work(), .took = milliseconds(10)});
  desk.served({.call = good, .work = work(microseconds(700'000)), .took = milliseconds(710)});
  const Error busy = fail(Reason::queue_full, "full"), late = fail(Reason::timed_out, "late"),
              wrong = fail(Reason::bad_request, "no");
  for (const Error* error : {&busy, &late, &wrong, &wrong})
    desk.served({.call = good, .took = milliseconds(1), .error = error});
  EXPECT_EQ(value("holdfast_serve_requests_total{endpoint=\"" + names.endpoint_of("lab/support") +
                  "\",outcome=\"answered\",version=\"2\"}"),
            98);
  EXPECT_EQ(value("holdfast_serve_requests_total" + labels(",outcome=\"refused\"")), 1);
  EXPECT_EQ(value("holdfast_serve_requests_total" + labels(",outcome=\"failed\"")), 1);
  EXPECT_EQ(value("holdfast_serve_requests_total" + labels(",outcome=\"rejected\"")), 2);
  const std::string of_class = "holdfast_serve_errors_total{class=\"timeout\",endpoint=\"" +
                               names.endpoint_of("lab/support") + "\",version=\"2\"}";
  EXPECT_EQ(value(of_class), 1);
  EXPECT_EQ(value("holdfast_serve_cold_requests_total" + labels()), 1);
  EXPECT_EQ(value("holdfast_serve_items_total" + labels()), 196);
  EXPECT_EQ(value("holdfast_serve_tokens_total" + labels()), 98 * 14);
  EXPECT_EQ(value("holdfast_serve_unknown_tokens_total" + labels()), 98);
  EXPECT_EQ(value("holdfast_serve_request_duration_seconds_count" + labels()), 98);
}

TEST_F(DeskTest, WhatAKeptAnswerTookIsToldBesideWhatTheModelTook) {
  serve::Work kept, partly = work();
  kept.inputs = kept.cached_inputs = 2;
  partly.cached_inputs = partly.missed_inputs = 1;
  desk.served({.call = call(2), .work = kept, .took = milliseconds(1)});
  desk.served({.call = call(2), .work = partly, .took = milliseconds(20)});
  desk.served({.call = call(2), .work = work(), .took = milliseconds(20)});
  EXPECT_EQ(value("holdfast_serve_cached_request_duration_seconds_count" + labels()), 1);
  EXPECT_NEAR(value("holdfast_serve_cached_request_duration_seconds_sum" + labels()), 0.001, 1e-9);
  EXPECT_EQ(value("holdfast_serve_request_duration_seconds_count" + labels()), 3);
}

TEST_F(DeskTest, TheStagesAddUpToTheWholeAndAPredictionCostsItsShare) {
  for (int i = 0; i < 10; ++i) desk.served({.call = call(2), .work = work(), .took = microseconds(10'000)});
  double stages = 0;
  for (int i = 0; i < stage_count; ++i) {
    const std::string stage(stage_name(static_cast<Stage>(i)));
    const double sum = value("holdfast_serve_stage_duration_seconds_sum{endpoint=\"" +
                             names.endpoint_of("lab/support") + "\",stage=\"" + stage + "\",version=\"2\"}");
    EXPECT_GE(sum, 0) << stage << " has no metric";
    stages += sum;
  }
  EXPECT_NEAR(stages, value("holdfast_serve_request_duration_seconds_sum" + labels()), 1e-9);
  // 10 requests of 3.6 ms of a worker at 3.6 an hour: 36 ms × 0.001 a second, over 20 inputs.
  EXPECT_NEAR(value("holdfast_serve_cost_total" + labels()), 36e-6, 1e-12);
  EXPECT_NEAR(value("holdfast_serve_cost_per_prediction" + labels()), 1.8e-6, 1e-12);
}

TEST_F(DeskTest, AClassifiersAnswerWithoutALabelIsAFailureWhateverItsStatus) {
  serve::ServedCall good = call(2, "x", R"([[{"label":"billing","score":0.9}]])"), bad = call(2, "x", "[]");
  desk.expect("lab/support", Expected::labels);
  for (int i = 0; i < 99; ++i) desk.served({.call = good, .work = work(), .took = milliseconds(10)});
  desk.served({.call = bad, .work = work(), .took = milliseconds(10)});
  EXPECT_EQ(value("holdfast_serve_requests_total" + labels(",outcome=\"answered\"")), 99);
  EXPECT_EQ(value("holdfast_serve_requests_total" + labels(",outcome=\"failed\"")), 1);
}

TEST_F(DeskTest, LabelsCarryNoNameThatAUserChoseAndTheirNumberIsBounded) {
  for (int64_t release = 1; release < 200; ++release)
    desk.served({.call = call(release), .work = work(), .took = milliseconds(10)});
  serve::ServedCall on_demand = call(0);
  on_demand.by.record.clear();
  for (int64_t repository = 1; repository < 200; ++repository) {
    on_demand.by.model.repository = repository;
    desk.served({.call = on_demand, .work = work(), .took = milliseconds(10)});
  }
  const std::string text = metrics->text();
  for (const char* name : {"lab", "support", "intents", "routing", "ada"})
    EXPECT_EQ(text.find(name), std::string::npos) << name;
  std::set<std::string> series;
  const std::string wanted = "holdfast_serve_items_total{";
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1))
    series.insert(text.substr(at, text.find('}', at) - at));
  EXPECT_EQ(series.size(), SeriesNames::released_max + SeriesNames::on_demand_max + 1);
  EXPECT_EQ(value("holdfast_serve_items_total{endpoint=\"other\",version=\"other\"}"),
            2 * (199 - static_cast<double>(SeriesNames::released_max) + 199 -
                 static_cast<double>(SeriesNames::on_demand_max)));
}

TEST_F(DeskTest, TheLineOfARequestHoldsIdsLengthsAndDigestsAndNoText) {
  const std::string marker = "my card is 4929-1234";
  const serve::ServedCall kept = call(2, "{\"inputs\":\"" + marker + "\"}", "[\"" + marker + "\"]");
  const Error error = fail(Reason::tokenization_failed, marker);
  desk.served({.call = kept, .work = work(), .took = milliseconds(10), .trace = desk.begin("", kept.id)});
  desk.served({.call = kept, .took = milliseconds(10), .error = &error});
  ASSERT_EQ(sink.lines().size(), 2U);
  for (const std::string& line : sink.lines()) EXPECT_EQ(line.find("4929"), std::string::npos) << line;
  const std::string first = sink.lines()[0], second = sink.lines()[1];
  for (const char* part : {"\"event\":\"model_request\"", "\"input_bytes\":33", "\"inputs\":2",
                           "\"tokens\":14", "\"deployment\":\"lab/support/2/stable\"", "\"queue_ms\":1"})
    EXPECT_NE(first.find(part), std::string::npos) << part << first;
  EXPECT_NE(first.find("\"trace_id\":\"" + std::string(32, '7')), std::string::npos);
  EXPECT_NE(second.find("\"class\":\"tokenization\""), std::string::npos);
}

TEST_F(DeskTest, ATraceIsKeptWithItsStagesAndWithoutTextWhetherOrNotACollectorListens) {
  const std::string marker = "my card is 4929-1234";
  const serve::ServedCall kept = call(2, "{\"inputs\":\"" + marker + "\"}", "[\"" + marker + "\"]");
  desk.served({.call = kept, .work = work(), .took = milliseconds(10), .trace = desk.begin("", kept.id)});
  const auto trace = desk.recent().find(kept.id, [](const KeptTrace&) { return true; });
  ASSERT_NE(trace, nullptr);
  EXPECT_EQ(trace->record, "lab/support");
  EXPECT_EQ(trace->release, 2);
  std::vector<std::string> names_of_spans;
  int64_t at = trace->spans[0].began_ns;
  for (const Span& span : trace->spans) {
    names_of_spans.push_back(span.name);
    if (names_of_spans.size() == 1) continue;
    EXPECT_EQ(span.began_ns, at) << span.name;
    at = span.ended_ns;
    for (const auto& [name, value] : span.attributes)
      if (const auto* text = std::get_if<std::string>(&value))
        EXPECT_EQ(text->find("4929"), std::string::npos);
  }
  EXPECT_EQ(at, trace->spans[0].ended_ns);
  names_of_spans.erase(names_of_spans.begin());
  EXPECT_EQ(names_of_spans, (std::vector<std::string>{"queue", "tokenize", "model", "post"}));
}

}  // namespace
}  // namespace holdfast::observe
