#include "api/kserve_call.h"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

const std::string head = R"({"id":"7","inputs":[{"name":"text","datatype":"BYTES","shape":[2],)";

TEST(KserveCall, texts_come_as_json_flat_or_nested_and_as_bytes) {
  const std::string flat = head + R"("data":["a","bc"]}]})";
  const std::string nested = head + R"("data":[["a"],["bc"]]}]})";
  const std::string binary =
      head + R"("parameters":{"binary_data_size":11}}],)" + R"("parameters":{"binary_data_output":true}})";
  const std::string length = std::to_string(binary.size());
  const std::string bytes("\1\0\0\0a\2\0\0\0bc", 11);
  const auto from_bytes = read_kserve_call(binary + bytes, length);
  for (const auto* call : {&from_bytes}) ASSERT_TRUE(call->ok()) << call->error().message;
  EXPECT_TRUE(from_bytes.value().binary_outputs);
  for (const auto& call :
       {read_kserve_call(flat, std::nullopt), read_kserve_call(nested, std::nullopt), from_bytes}) {
    ASSERT_TRUE(call.ok()) << call.error().message;
    EXPECT_EQ(call.value().id, "7");
    ASSERT_EQ(call.value().inputs.size(), 1U);
    EXPECT_EQ(call.value().inputs[0].texts, (std::vector<std::string>{"a", "bc"}));
  }
}

TEST(KserveCall, what_does_not_fit_is_refused) {
  const struct {
    const char* name;
    std::string rest, bytes;
  } cases[] = {
      {"too few elements", R"("data":["a"]}]})", ""},
      {"numbers for texts", R"("data":[1,2]}]})", ""},
      {"no data", R"("x":1}]})", ""},
      {"both", R"("data":["a","b"],"parameters":{"binary_data_size":0}}]})", ""},
      {"bytes that lie", R"("parameters":{"binary_data_size":8}}]})",
       std::string("\xff\xff\xff\xff\0\0\0\0", 8)},
      {"fewer bytes than said", R"("parameters":{"binary_data_size":11}}]})", "abc"},
      {"bytes of nobody", R"("data":["a","b"]}]})", "abc"},
      {"negative", R"("parameters":{"binary_data_size":-1}}]})", ""},
  };
  for (const auto& one : cases) {
    const std::string json = head + one.rest;
    const auto call = read_kserve_call(json + one.bytes, std::to_string(json.size()));
    ASSERT_FALSE(call.ok()) << one.name;
    EXPECT_EQ(call.error().reason, Reason::bad_request) << one.name;
  }
  for (const char* length : {"x", "-1", "999999", ""})
    EXPECT_FALSE(read_kserve_call(head + R"("data":["a","b"]}]})", length).ok()) << length;
  EXPECT_FALSE(
      read_kserve_call(R"({"inputs":[{"name":"x","datatype":"BYTES","shape":[65536,65536],"data":[]}]})",
                       std::nullopt)
          .ok());
}

TEST(KserveCall, outputs_are_those_wished_for_in_the_form_wished_for) {
  KserveCall call;
  const std::vector<KserveOutput> outputs = {{"score", {2}, std::vector<float>{0.5F, 2}},
                                             {"label", {2}, std::vector<std::string>{"a", "bc"}}};
  const auto all = write_kserve_answer(call, "m", "v", outputs).value();
  EXPECT_EQ(
      all.body,
      R"({"model_name":"m","model_version":"v","outputs":[{"name":"score","datatype":"FP32","shape":[2],)"
      R"("data":[0.5,2.0]},{"name":"label","datatype":"BYTES","shape":[2],"data":["a","bc"]}]})");
  call.outputs = {{"label", true}, {"score", true}};
  const auto bytes = write_kserve_answer(call, "m", "v", outputs).value();
  ASSERT_TRUE(bytes.json_length);
  EXPECT_EQ(bytes.body.substr(*bytes.json_length),
            std::string("\1\0\0\0a\2\0\0\0bc\0\0\0\x3f\0\0\0\x40", 19));
  call.outputs = {{"other", false}};
  EXPECT_EQ(write_kserve_answer(call, "m", "v", outputs).error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::api
