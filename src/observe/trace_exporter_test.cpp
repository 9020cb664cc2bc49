#include "observe/trace_exporter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <mutex>
#include <set>

#include "codec/json.h"
#include "observe/request_spans.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

// A collector that keeps what it gets, or fails as told.
class FakeCollector final : public net::Client {
 public:
  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context&) override {
    std::unique_lock lock(mutex_);
    ++calls;
    called.notify_all();
    lock.unlock();
    while (stuck) std::this_thread::sleep_for(milliseconds(1));
    lock.lock();
    if (down) return fail(Reason::dependency_failed, "no connection");
    urls.insert(request.url);
    if (status == 200) bodies.push_back(std::get<std::string>(request.body));
    return net::ClientResponse{.status = status, .headers = {}, .body = "{}"};
  }
  void wait_for_calls(int wanted) {
    std::unique_lock lock(mutex_);
    called.wait_for(lock, std::chrono::seconds(20), [&] { return calls >= wanted; });
  }
  std::mutex mutex_;
  std::condition_variable called;
  std::atomic<bool> stuck = false;
  bool down = false;
  int status = 200, calls = 0;
  std::set<std::string> urls;
  std::vector<std::string> bodies;
};

struct ExporterTest : ::testing::Test {
  TraceOptions options{.endpoint = "http://collector.test:4318/",
                       .program_version = "1.2",
                       .waiting_spans_max = 8,
                       .batch_spans_max = 4,
                       .batch_wait = milliseconds(5),
                       .tries = 2};
  std::unique_ptr<TraceExporter> start() { return start_trace_exporter(options, collector, log, *metrics); }
  double value(const std::string& line) const {
    const std::string text = metrics->text();
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size() + 2));
  }
  static std::vector<Span> spans(size_t count) {
    return std::vector<Span>(
        count, {.name = "x", .trace = std::string(32, 'a'), .id = std::string(16, 'b'), .parent = {}});
  }
  SystemClock clock;
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  FakeCollector collector;
};

TEST_F(ExporterTest, WhatWaitsIsSentInBatchesAndTheRestAtTheEnd) {
  {
    const auto exporter = start();
    exporter->offer(spans(5));
    collector.wait_for_calls(2);
    exporter->offer(spans(1));
  }
  EXPECT_EQ(collector.urls, (std::set<std::string>{"http://collector.test:4318/v1/traces"}));
  EXPECT_EQ(value("holdfast_trace_spans_exported_total"), 6);
}

TEST_F(ExporterTest, ACollectorThatHangsCostsSpansAndNobodyWaits) {
  collector.stuck = true;
  const auto exporter = start();
  exporter->offer(spans(4));
  collector.wait_for_calls(1);
  for (int i = 0; i < 1000; ++i) exporter->offer(spans(1));  // Returns at once or the test times out.
  EXPECT_EQ(value("holdfast_trace_spans_dropped_total{why=\"queue_full\"}"), 1000 - 8);
  collector.stuck = false;
}

TEST_F(ExporterTest, AFailureIsTriedAgainThenCountedAndOneForGoodIsNot) {
  for (const auto& [status, calls] : {std::pair{503, 2}, std::pair{400, 1}}) {
    collector.status = status;
    collector.calls = 0;
    const double before = value("holdfast_trace_spans_dropped_total{why=\"export_failed\"}");
    {
      const auto exporter = start();
      exporter->offer(spans(2));
      for (int i = 0; i < 4000 && value("holdfast_trace_spans_dropped_total{why=\"export_failed\"}") ==
                                      std::max(before, 0.0);
           ++i)
        std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_EQ(collector.calls, calls) << status;
    EXPECT_EQ(value("holdfast_trace_spans_dropped_total{why=\"export_failed\"}"), std::max(before, 0.0) + 2);
  }
}

TEST_F(ExporterTest, ACallersDecisionIsFollowedAndOursIsTheTracesOwn) {
  options.sample_percent = 10;
  const auto exporter = start();
  EXPECT_TRUE(exporter->wants(std::string(32, 'f'), true, true));
  EXPECT_FALSE(exporter->wants(std::string(32, '1'), true, false));
  SeededRandom random{7};
  int wanted = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string trace = random.hex(16);
    wanted += exporter->wants(trace, false, true) ? 1 : 0;
    EXPECT_EQ(exporter->wants(trace, false, true), exporter->wants(trace, false, true));
  }
  EXPECT_NEAR(wanted, 200, 60);
}

// The shape that opentelemetry-proto's JSON encoding asks for, field by field.
TEST(RequestSpans, OneServerSpanWithItsStagesInThePublishedShapeAndWithoutText) {
  serve::ServedCall call{.id = std::string(32, '7'),
                         .by = {.model = {4, "lab/intents", std::string(40, 'c')},
                                .deployment = "lab/support/2/stable",
                                .tokenizer = std::string(64, 'd'),
                                .record = "lab/support",
                                .feature = {},
                                .release = 2},
                         .user = "ada",
                         .door = "task_model",
                         .captures = {},
                         .content_type = {},
                         .input = "{\"inputs\":\"a marker that nobody may see\"}",
                         .output = "[\"a marker that nobody may see\"]"};
  SeededRandom random{3};
  Answered answered{.call = call,
                    .work = {.queue = milliseconds(2),
                             .load = {},
                             .tokenize = milliseconds(1),
                             .model = milliseconds(5),
                             .inputs = 1,
                             .tokens = 9},
                    .took = milliseconds(10),
                    .began = WallTime{milliseconds{1'700'000'000'123}},
                    .trace = continue_trace("00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-01",
                                            call.id, random),
                    .route = "/models/{ns}/{name}"};
  const std::string text =
      otlp_json(request_spans(answered, judge(answered, Expected::anything), random), "1.2");
  EXPECT_EQ(text.find("marker"), std::string::npos);
  const json::object root = codec::parse_json_object(text).value();
  const json::object& resource = root.at("resourceSpans").as_array().at(0).as_object();
  EXPECT_EQ(resource.at("resource").at("attributes").at(0).at("value").at("stringValue").as_string(),
            "holdfast");
  const json::array& spans = resource.at("scopeSpans").at(0).at("spans").as_array();
  ASSERT_EQ(spans.size(), 5U);
  const json::object& server = spans[0].as_object();
  EXPECT_EQ(server.at("name").as_string(), "POST /models/{ns}/{name}");
  EXPECT_EQ(server.at("kind").as_int64(), 2);
  EXPECT_EQ(server.at("traceId").as_string(), std::string(32, 'a'));
  EXPECT_EQ(server.at("parentSpanId").as_string(), std::string(16, 'b'));
  EXPECT_EQ(server.at("startTimeUnixNano").as_string(), "1700000000123000000") << "64-bit numbers are text";
  EXPECT_EQ(server.at("endTimeUnixNano").as_string(), "1700000000133000000");
  const std::array<const char*, 4> stages{"queue", "tokenize", "model", "post"};
  std::string at(server.at("startTimeUnixNano").as_string());
  for (size_t i = 0; i < stages.size(); ++i) {
    const json::object& stage = spans[i + 1].as_object();
    EXPECT_EQ(stage.at("name").as_string(), stages[i]);
    EXPECT_EQ(stage.at("kind").as_int64(), 1);
    EXPECT_EQ(stage.at("parentSpanId"), server.at("spanId"));
    EXPECT_EQ(stage.at("startTimeUnixNano").as_string(), at) << "one begins where the other ended";
    at = std::string(stage.at("endTimeUnixNano").as_string());
  }
  EXPECT_EQ(at, server.at("endTimeUnixNano").as_string()) << "the stages add up";
  std::map<std::string, json::value> attributes;
  for (const json::value& one : server.at("attributes").as_array())
    attributes[std::string(one.at("key").as_string())] = one.at("value");
  EXPECT_EQ(attributes.at("http.response.status_code").at("intValue").as_string(), "200");
  EXPECT_EQ(attributes.at("gen_ai.usage.input_tokens").at("intValue").as_string(), "9");
  EXPECT_EQ(attributes.at("gen_ai.provider.name").at("stringValue").as_string(), "holdfast");
  EXPECT_FALSE(attributes.at("holdfast.cold").at("boolValue").as_bool());

  const Error late = fail(Reason::timed_out, "a marker");
  call.status = 504;
  answered.error = &late;
  const auto failed = request_spans(answered, judge(answered, Expected::anything), random);
  EXPECT_EQ(failed[0].status, SpanStatus::error);
  EXPECT_EQ(failed[0].attributes.back().first, "error.type");
  EXPECT_EQ(std::get<std::string>(failed[0].attributes.back().second), "timed_out");
}

}  // namespace
}  // namespace holdfast::observe
