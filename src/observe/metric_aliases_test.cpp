#include "observe/metric_aliases.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

constexpr std::string_view figures =
    "# HELP holdfast_serve_requests_total x\n# TYPE holdfast_serve_requests_total counter\n"
    "holdfast_serve_requests_total{endpoint=\"r-1\",outcome=\"answered\",version=\"2\"} 7\n"
    "holdfast_serve_requests_total{endpoint=\"r-1\",outcome=\"failed\",version=\"2\"} 2\n"
    "holdfast_serve_tokens_total{endpoint=\"r-1\",version=\"2\"} 50\n"
    "holdfast_serve_written_tokens_total{endpoint=\"r-1\",version=\"2\"} 30\n"
    "holdfast_serve_stage_duration_seconds_bucket{endpoint=\"r-1\",stage=\"queue\",version=\"2\",le=\"+Inf\"}"
    " 7\n"
    "holdfast_serve_stage_duration_seconds_sum{endpoint=\"r-1\",stage=\"queue\",version=\"2\"} 0.5\n"
    "holdfast_serve_stage_duration_seconds_sum{endpoint=\"r-1\",stage=\"model\",version=\"2\"} 4\n"
    "holdfast_serve_time_to_first_token_seconds_count{endpoint=\"r-1\",version=\"2\"} 7\n"
    "holdfast_http_requests_total 9\n";

bool has(std::string_view text, std::string_view line) {
  return text.find(std::string(line) + "\n") != std::string_view::npos;
}

TEST(MetricAliases, EachServersNamesAreThereOnlyWhereTheyAreWished) {
  EXPECT_EQ(metric_aliases(figures, {}), "");
  const std::string tgi = metric_aliases(figures, {AliasOf::tgi});
  EXPECT_EQ(tgi.find("vllm"), std::string::npos);
  EXPECT_EQ(tgi.find("te_"), std::string::npos);
  EXPECT_TRUE(has(tgi, "# TYPE tgi_request_count counter"));
  EXPECT_TRUE(has(tgi, "tgi_request_count{model_name=\"r-1\",version=\"2\"} 9"));
  EXPECT_TRUE(has(tgi, "tgi_request_success{model_name=\"r-1\",version=\"2\"} 7"));
  EXPECT_TRUE(has(tgi, "tgi_request_failure{model_name=\"r-1\",err=\"failed\",version=\"2\"} 2"));
  EXPECT_TRUE(has(tgi, "tgi_request_queue_duration_bucket{model_name=\"r-1\",version=\"2\",le=\"+Inf\"} 7"));
  EXPECT_TRUE(has(tgi, "tgi_request_inference_duration_sum{model_name=\"r-1\",version=\"2\"} 4"));
  EXPECT_TRUE(has(tgi, "tgi_request_generated_tokens_sum{model_name=\"r-1\",version=\"2\"} 30"));
  EXPECT_TRUE(has(tgi, "tgi_request_generated_tokens_count{model_name=\"r-1\",version=\"2\"} 7"));
}

TEST(MetricAliases, TokensOfPromptsAreThoseThatWereNotWritten) {
  const std::string vllm = metric_aliases(figures, {AliasOf::vllm});
  EXPECT_TRUE(has(vllm, "vllm:prompt_tokens_total{model_name=\"r-1\",version=\"2\"} 20"));
  EXPECT_TRUE(has(vllm, "vllm:generation_tokens_total{model_name=\"r-1\",version=\"2\"} 30"));
  EXPECT_TRUE(has(vllm, "vllm:time_to_first_token_seconds_count{model_name=\"r-1\",version=\"2\"} 7"));
}

TEST(MetricAliases, NamesAreReadFromAListAndOthersRefused) {
  EXPECT_EQ(parse_aliases("").value(), AliasSet());
  EXPECT_EQ(parse_aliases("tei,vllm").value(), (AliasSet{AliasOf::tei, AliasOf::vllm}));
  EXPECT_FALSE(parse_aliases("tgi,other").ok());
}

}  // namespace
}  // namespace holdfast::observe
