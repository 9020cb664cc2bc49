#include "api/kserve_statistics.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace holdfast::api {
namespace {

TEST(KserveStatistics, CountsAndTimesAreOfEachVersion) {
  constexpr std::string_view figures =
      "# TYPE holdfast_serve_requests_total counter\n"
      "holdfast_serve_requests_total{endpoint=\"m-1\",outcome=\"answered\",version=\"aa\"} 7\n"
      "holdfast_serve_requests_total{endpoint=\"m-1\",outcome=\"failed\",version=\"aa\"} 2\n"
      "holdfast_serve_requests_total{endpoint=\"m-1\",outcome=\"refused\",version=\"aa\"} 1\n"
      "holdfast_serve_items_total{endpoint=\"m-1\",version=\"aa\"} 21\n"
      "holdfast_serve_items_total{endpoint=\"m-1\",version=\"bb\"} 1\n"
      "holdfast_serve_request_duration_seconds_sum{endpoint=\"m-1\",version=\"aa\"} 0.5\n"
      "holdfast_serve_stage_duration_seconds_sum{endpoint=\"m-1\",stage=\"model\",version=\"aa\"} 0.25\n"
      "holdfast_serve_stage_duration_seconds_count{endpoint=\"m-1\",stage=\"model\",version=\"aa\"} 7\n";
  EXPECT_EQ(
      codec::to_text(kserve_statistics(figures, "ada/m")),
      R"([{"name":"ada/m","version":"aa","inference_count":21,"inference_stats":{"success":{"count":7,"ns":500000000},)"
      R"("fail":{"count":3},"queue":{"count":0,"ns":0},"compute_input":{"count":0,"ns":0},)"
      R"("compute_infer":{"count":7,"ns":250000000},"compute_output":{"count":0,"ns":0}}},)"
      R"({"name":"ada/m","version":"bb","inference_count":1,"inference_stats":{"success":{"count":0,"ns":0},)"
      R"("fail":{"count":0},"queue":{"count":0,"ns":0},"compute_input":{"count":0,"ns":0},)"
      R"("compute_infer":{"count":0,"ns":0},"compute_output":{"count":0,"ns":0}}}])");
  EXPECT_TRUE(kserve_statistics("", "ada/m").empty());
}

}  // namespace
}  // namespace holdfast::api
