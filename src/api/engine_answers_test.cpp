#include "api/engine_answers.h"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

struct Case {
  const char *engine, *rest, *body;
  bool kept;
};

TEST(EngineAnswers, OnlyWhatComesOutTheSameEveryTimeIsKept) {
  const Case cases[] = {
      {"tei", "embed", R"({"inputs": "x"})", true},
      {"tei", "", R"({"inputs": "x"})", true},
      {"vllm", "v1/embeddings", R"({"input": "x"})", true},
      {"vllm", "v1/chat/completions", R"({"messages": [], "temperature": 0})", true},
      {"vllm", "v1/chat/completions", R"({"messages": [], "temperature": 0.0, "n": 2})", true},
      {"vllm", "v1/chat/completions", R"({"messages": []})", false},
      {"vllm", "v1/chat/completions", R"({"messages": [], "temperature": 0.1})", false},
      {"vllm", "v1/chat/completions", R"({"messages": [], "temperature": "0"})", false},
      {"openai", "v1/chat/completions", R"({"messages": [)", false},
      {"openai", "v1/images/generations", R"({"temperature": 0})", false},
      {"openai", "", R"({"inputs": "x"})", false},
      {"tgi", "generate", R"({"inputs": "x"})", true},
      {"tgi", "generate", R"({"inputs": "x", "parameters": {"do_sample": false, "seed": null}})", true},
      {"tgi", "generate", R"({"inputs": "x", "parameters": {"do_sample": true}})", false},
      {"tgi", "generate", R"({"inputs": "x", "parameters": {"temperature": 0.5}})", false},
      {"tgi", "generate_stream", R"({"inputs": "x"})", false},
      {"llama.cpp", "completion", R"({"prompt": "x", "temperature": 0})", true},
      {"llama.cpp", "completion", R"({"prompt": "x"})", false},
      {"triton", "v2/models/m/infer", R"({"inputs": []})", true},
      {"triton", "v2/models/m/infer", R"({"parameters": {"sequence_id": 3}, "inputs": []})", false},
      {"triton", "v2/models/m", "", false},
  };
  for (const Case& one : cases)
    EXPECT_EQ(is_deterministic(one.engine, one.rest, one.body), one.kept)
        << one.engine << " " << one.rest << " " << one.body;
}

TEST(EngineAnswers, CallersLearnWhyAnEngineFailedAndNotWhereItIs) {
  const auto told = [](const char* message) {
    return without_address(fail(Reason::dependency_failed, message)).message;
  };
  EXPECT_EQ(told("the call to 10.0.0.7:8080 failed: Couldn't connect to server"),
            "the call to the endpoint's engine failed: Couldn't connect to server");
  EXPECT_EQ(told("cut short"), "cut short");
}

}  // namespace
}  // namespace holdfast::api
