#include "api/serving_error.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

std::string written(const ServingError& error) {
  return std::to_string(error.status) + " " + codec::to_text(error.body);
}

TEST(ServingError, openais_clients_find_the_codes_they_know_and_the_key_that_is_wrong) {
  const struct {
    Reason reason;
    const char *message, *wanted;
  } cases[] = {
      {Reason::repo_not_found, "no such model",
       R"(404 {"error":{"message":"no such model","type":"invalid_request_error","param":"model","code":"model_not_found"}})"},
      {Reason::unauthenticated, "who are you",
       R"(401 {"error":{"message":"who are you","type":"invalid_request_error","param":null,"code":"invalid_api_key"}})"},
      {Reason::input_too_long, "too long",
       R"(400 {"error":{"message":"too long","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}})"},
      {Reason::queue_full, "later",
       R"(429 {"error":{"message":"later","type":"requests","param":null,"code":"rate_limit_exceeded"}})"},
      {Reason::bad_request, "'n' is too large",
       R"(400 {"error":{"message":"'n' is too large","type":"invalid_request_error","param":"n","code":null}})"},
      {Reason::not_offered, "'suffix' is not offered here",
       R"(400 {"error":{"message":"'suffix' is not offered here","type":"invalid_request_error","param":"suffix","code":"unsupported_parameter"}})"},
      {Reason::not_offered, "no such address",
       R"(404 {"error":{"message":"no such address","type":"invalid_request_error","param":null,"code":"not_offered"}})"},
      {Reason::worker_failed, "try again",
       R"(503 {"error":{"message":"try again","type":"server_error","param":null,"code":"worker_failed"}})"}};
  for (const auto& one : cases)
    EXPECT_EQ(written(openai_error(fail(one.reason, one.message), one.message)), one.wanted);
}

TEST(ServingError, each_other_protocol_has_its_own_words) {
  const Error bad = fail(Reason::bad_request, "x"), full = fail(Reason::queue_full, "x"),
              unable = fail(Reason::model_unsupported, "x"), gone = fail(Reason::worker_failed, "x");
  EXPECT_EQ(written(tei_error(bad, "x")), R"(422 {"error":"x","error_type":"Validation"})");
  EXPECT_EQ(written(tei_error(full, "x")), R"(429 {"error":"x","error_type":"Overloaded"})");
  EXPECT_EQ(written(tei_error(unable, "x")), R"(424 {"error":"x","error_type":"Backend"})");
  EXPECT_EQ(written(tgi_error(bad, "x")),
            R"(422 {"error":"Input validation error: x","error_type":"validation"})");
  EXPECT_EQ(written(tgi_error(full, "x")),
            R"(429 {"error":"Model is overloaded","error_type":"overloaded"})");
  EXPECT_EQ(written(tgi_error(unable, "x")),
            R"(424 {"error":"Request failed during generation: x","error_type":"generation"})");
  EXPECT_EQ(written(tgi_error(gone, "x")), R"(503 {"error":"x","error_type":"healthcheck"})");
  EXPECT_EQ(written(llama_error(bad, "x")),
            R"(400 {"error":{"code":400,"message":"x","type":"invalid_request_error"}})");
  EXPECT_EQ(written(llama_error(unable, "x")),
            R"(501 {"error":{"code":501,"message":"x","type":"not_supported_error"}})");
  EXPECT_EQ(written(kserve_error(unable, "x")), R"(400 {"error":"x"})");
  EXPECT_EQ(written(kserve_error(full, "x")), R"(429 {"error":"x"})");
}

}  // namespace
}  // namespace holdfast::api
