#include "api/embed_inputs.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

TEST(EmbedInputs, the_four_forms_are_read_and_nothing_else) {
  struct Case {
    const char* why;
    const char* json;
    size_t texts, ids;  // Both 0: refused.
  };
  static constexpr Case cases[] = {
      {"a text", R"("a")", 1, 0},
      {"an empty text", R"("")", 1, 0},
      {"texts", R"(["a","b"])", 2, 0},
      {"ids", "[101, 102]", 0, 1},
      {"lists of ids", "[[1],[2,3]]", 0, 2},
      {"nothing", "[]", 0, 0},
      {"an empty list of ids", "[[]]", 0, 0},
      {"mixed", R"(["a", 1])", 0, 0},
      {"negative", "[-1]", 0, 0},
      {"fractions", "[1.5]", 0, 0},
      {"beyond 32 bits", "[4294967296]", 0, 0},
      {"an object", "{}", 0, 0},
      {"null", "null", 0, 0},
  };
  for (const auto& [why, text, texts, ids] : cases) {
    const auto value = codec::parse_json(text);
    ASSERT_TRUE(value.ok()) << why;
    const auto item = read_embed_inputs(value.value());
    ASSERT_EQ(item.ok(), texts + ids > 0) << why;
    if (!item.ok()) continue;
    EXPECT_EQ(item.value().texts.size(), texts) << why;
    EXPECT_EQ(item.value().ids.size(), ids) << why;
  }
}

}  // namespace
}  // namespace holdfast::api
