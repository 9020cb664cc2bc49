#include "codec/json.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <bit>
#include <boost/json/value.hpp>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "codec/float_text.h"

namespace holdfast::codec {
namespace {

namespace json = boost::json;

TEST(Json, text_comes_back_in_the_same_order) {
  constexpr std::string_view text =
      R"({"z":[1,-2,18446744073709551615,0.5,1.0,1e-07,1e+300],"a":{"b":null,"c":true,"d":[]},"e":"\"\\\n\u0001é🤗"})";
  EXPECT_EQ(to_text(parse_json(text).value()), text);
}

TEST(Json, pretty_text_is_indented_by_two) {
  EXPECT_EQ(to_pretty_text(parse_json(R"({"a":[1,{}],"b":[]})").value()),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n");
}

TEST(Json, a_vector_reads_back_as_the_same_floats) {
  SeededRandom random(3);
  std::vector<float> all{0.F, -0.F, 1.F, -2.F, 0.1F, 1e-40F, 3.4e38F, 16777216.F};
  for (int i = 0; i < 2000; ++i) {
    const auto one = std::bit_cast<float>(static_cast<uint32_t>(random.u64()));
    if (std::isfinite(one)) all.push_back(one);
  }
  std::string text;
  append_floats(text, all);
  const json::value read = parse_json(text).value();
  ASSERT_EQ(read.get_array().size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(read.at(i).is_double()) << i;  // Never an integer, so that readers have one type.
    EXPECT_EQ(std::bit_cast<uint32_t>(static_cast<float>(read.at(i).get_double())),
              std::bit_cast<uint32_t>(all[i]));
  }
  std::string odd = "x";
  append_floats(odd, std::vector<float>{0.1F, std::numeric_limits<float>::quiet_NaN(), 2.F});
  EXPECT_EQ(odd, "x[0.1,null,2.0]");
  append_floats(odd, {});
  EXPECT_EQ(odd, "x[0.1,null,2.0][]");
}

TEST(Json, what_json_cannot_say_is_replaced) {
  json::value value = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                       "a\xff"
                       "b"};
  EXPECT_EQ(to_text(value),
            "[null,null,\"a\xEF\xBF\xBD"
            "b\"]");
}

struct Refusal {
  const char* why;
  std::string_view text, place;
};
constexpr Refusal refusals[] = {
    {"nothing", "", "byte 0"},
    {"cut off", "{\"a\":", "byte 5"},
    {"two values", "1 2", "byte 2"},
    {"a comment", "/*x*/1", "byte 0"},
    {"a comma too many", "[1,]", "byte 3"},
    {"not a number", "[NaN]", "byte 1"},
    {"invalid UTF-8", "[\"\xff\"]", "byte 2"},
    {"overlong UTF-8", "[\"\xC0\x80\"]", "byte 2"},
    {"half a surrogate pair", R"(["\ud83e"])", "byte"},
    {"a raw control character", "[\"\n\"]", "byte 2"},
    {"a bare word", "hello", "byte 0"},
};

TEST(Json, malformed_text_is_refused_with_its_place) {
  for (const auto& [why, text, place] : refusals) {
    const auto got = parse_json(text);
    ASSERT_FALSE(got.ok()) << why;
    EXPECT_EQ(got.error().reason, Reason::bad_request) << why;
    EXPECT_NE(got.error().message.find(place), std::string::npos) << why << ": " << got.error().message;
  }
}

// Every bit pattern that is a number, written with 17 digits, comes back as itself.
TEST(Json, numbers_are_read_exactly) {
  SeededRandom random(23);
  for (int i = 0; i < 20'000; ++i) {
    const double number = std::bit_cast<double>(random.u64());
    if (!std::isfinite(number)) continue;
    const std::string text = fmt::format("{:.17e}", number);
    ASSERT_EQ(parse_json(text).value().to_number<double>(), number) << text;
    ASSERT_EQ(parse_json(to_text(json::value(number))).value().to_number<double>(), number) << text;
  }
  EXPECT_EQ(to_text(parse_json("-9227203685477580836854775851616").value()), "-9.227203685477581e+30");
  EXPECT_EQ(to_text(parse_json("[-0.0,-0,1e-400]").value()), "[-0.0,0,0.0]");
  EXPECT_FALSE(parse_json("1e400").ok());
}

TEST(Json, depth_and_length_are_bounded) {
  EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']')).ok());
  EXPECT_FALSE(parse_json(std::string(33, '[') + std::string(33, ']')).ok());
  EXPECT_EQ(parse_json("[1,2]", {.bytes_max = 4}).error().reason, Reason::body_too_large);
  EXPECT_TRUE(parse_json(" [1] \n").ok());
}

TEST(Json, getters_name_the_key_that_is_wrong) {
  const json::object object =
      parse_json_object(
          R"({"t":"x","i":3,"d":3.0,"half":0.5,"f":false,"n":null,"o":{},"a":[1],"huge":1e300})")
          .value();
  EXPECT_EQ(json_text(object, "t").value(), "x");
  EXPECT_EQ(json_integer(object, "i").value(), 3);
  EXPECT_EQ(json_integer(object, "d").value(), 3);
  EXPECT_EQ(json_number(object, "half").value(), 0.5);
  EXPECT_FALSE(json_flag(object, "f").value());
  EXPECT_TRUE(json_object(object, "o").value()->empty());
  EXPECT_EQ(json_array(object, "a").value()->size(), 1U);
  EXPECT_EQ(json_text(object, "n").error().message, "\"n\" is missing");
  EXPECT_EQ(json_text(object, "none").error().message, "\"none\" is missing");
  EXPECT_EQ(json_text(object, "i").error().message, "\"i\" must be a string");
  EXPECT_EQ(json_integer(object, "half").error().message, "\"half\" must be an integer");
  EXPECT_FALSE(json_integer(object, "huge").ok());
  EXPECT_FALSE(json_array(object, "o").ok());
  EXPECT_EQ(json_text_if(object, "none").value(), std::nullopt);
  EXPECT_EQ(json_object_if(object, "n").value(), nullptr);
  EXPECT_FALSE(json_flag_if(object, "t").ok());
  EXPECT_FALSE(parse_json_object("[]").ok());
}

}  // namespace
}  // namespace holdfast::codec
