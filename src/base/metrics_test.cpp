#include "base/metrics.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "base/guarded.h"

namespace holdfast {
namespace {

TEST(Metrics, the_page_shows_what_was_counted) {
  auto metrics = make_metrics();
  metrics->counter("holdfast_uploads_total", "Uploads.", {{"outcome", "stored"}}).add();
  metrics->counter("holdfast_uploads_total", "Uploads.", {{"outcome", "stored"}}).add(2);
  metrics->gauge("holdfast_connections", "Open connections.").set(7);
  metrics->histogram("holdfast_wait_seconds", "Waiting.", {0.1, 1}).observe(0.5);
  const std::string page = metrics->text();
  for (const char* line : {"# HELP holdfast_uploads_total Uploads.", "# TYPE holdfast_uploads_total counter",
                           "holdfast_uploads_total{outcome=\"stored\"} 3", "holdfast_connections 7",
                           "holdfast_wait_seconds_bucket{le=\"0.1\"} 0",
                           "holdfast_wait_seconds_bucket{le=\"1\"} 1", "holdfast_wait_seconds_count 1"})
    EXPECT_NE(page.find(line), std::string::npos) << line << "\n" << page;
}

TEST(Metrics, the_same_name_and_labels_are_one_series_in_any_order) {
  auto metrics = make_metrics();
  Counter& one = metrics->counter("holdfast_a_total", "A.", {{"x", "1"}, {"y", "2"}});
  Counter& two = metrics->counter("holdfast_a_total", "A.", {{"y", "2"}, {"x", "1"}});
  EXPECT_EQ(&one, &two);
  EXPECT_NE(&one, &metrics->counter("holdfast_a_total", "A.", {{"x", "1"}}));
}

TEST(Metrics, threads_share_a_series) {
  auto metrics = make_metrics();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&metrics] {
        for (int j = 0; j < 1000; ++j) metrics->counter("holdfast_shared_total", "Shared.").add();
      });
  }
  EXPECT_NE(metrics->text().find("holdfast_shared_total 4000"), std::string::npos);
}

TEST(MetricsDeathTest, a_name_against_the_rules_stops_the_program) {
  auto metrics = make_metrics();
  EXPECT_DEATH(metrics->counter("holdfast_uploads", "No _total."), "ends_with");
  EXPECT_DEATH(metrics->gauge("uploads", "No prefix."), "good_name");
  EXPECT_DEATH(metrics->gauge("holdfast_x", "A bad label.", {{"le", "1"}}), "good_label");
}

TEST(Guarded, exceptions_become_errors) {
  const auto thrown = guarded([]() -> Result<int> { throw std::runtime_error("boom"); });
  EXPECT_EQ(thrown.error().code, Code::internal);
  EXPECT_EQ(thrown.error().message, "boom");
  EXPECT_FALSE(guarded([]() -> Status { throw 7; }).ok());
  EXPECT_EQ(guarded([]() -> Result<int> { return 3; }).value(), 3);
}

}  // namespace
}  // namespace holdfast
