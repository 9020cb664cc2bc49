#include "api/input_texts.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

boost::json::object body(const std::string& text) { return codec::parse_json_object(text).value(); }

std::vector<std::string> texts(const std::string& text) {
  const boost::json::object asked = body(text);
  std::vector<std::string> out;
  for (const auto& [one, place] : input_texts(asked, Voices::all)) out.emplace_back(one);
  return out;
}

TEST(InputTexts, EveryInstanceOfVertexIsLookedAt) {
  EXPECT_EQ(texts(R"({"instances": [{"inputs": "one"}, "two", {"inputs": ["three", {"text": "four"}]}]})"),
            (std::vector<std::string>{"one", "two", "three", "four"}));
}

TEST(InputTexts, AnInstanceInTokensOrOnAFileIsOneThatNobodyReads) {
  EXPECT_TRUE(has_token_ids(body(R"({"instances": [{"inputs": "one"}, {"inputs": [[1, 2]]}]})")));
  EXPECT_TRUE(has_token_ids(body(R"({"instances": [[1, 2]]})")));
  EXPECT_FALSE(has_token_ids(body(R"({"instances": [{"inputs": "one"}, "two"]})")));
  const std::string file = "iVBORw0KGgo" + std::string(80, 'A');
  EXPECT_TRUE(has_file(body(R"({"instances": [{"inputs": ")" + file + R"("}]})")));
  EXPECT_TRUE(has_file(body(R"({"instances": [")" + file + R"("]})")));
  EXPECT_TRUE(has_file(body(R"({"inputs": ["a", ")" + file + R"("]})")));
  EXPECT_FALSE(has_file(body(R"({"instances": [{"inputs": "one"}]})")));
}

}  // namespace
}  // namespace holdfast::api
