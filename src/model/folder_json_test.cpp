#include "model/folder_json.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

namespace holdfast::model {
namespace {

TEST(FolderJson, NumbersThatJsonHasNoWordsForAreReadInEitherSpelling) {
  struct Case {
    const char* name;
    std::string text, wanted;
  };
  const Case cases[] = {
      {"as it was", R"({"a":[1,2.5,null]})", R"({"a":[1,2.5E0,null]})"},
      {"a bare word", R"({"time_step_limit":[0.0, Infinity]})",
       R"({"time_step_limit":[0E0,{"__float__":"Infinity"}]})"},
      {"with a sign", R"({"a":-Infinity,"b":NaN})",
       R"({"a":{"__float__":"-Infinity"},"b":{"__float__":"NaN"}})"},
      {"as version 5 writes it", R"({"a":{"__float__":"Infinity"}})", R"({"a":{"__float__":"Infinity"}})"},
      {"within a text", R"({"a":"NaN \" Infinity\\","b":NaN})",
       R"({"a":"NaN \" Infinity\\","b":{"__float__":"NaN"}})"},
  };
  for (const Case& one : cases) {
    const auto got = parse_python_json(one.text);
    ASSERT_TRUE(got.ok()) << one.name << ": " << got.error().message;
    EXPECT_EQ(boost::json::serialize(got.value()), one.wanted) << one.name;
  }
}

TEST(FolderJson, OtherBareWordsAreRefused) {
  for (const char* const text : {R"({"a":Infinityx})", R"({"a":Nan})", R"({"a":"NaN)", R"({NaN:1})", "NaN"})
    EXPECT_FALSE(parse_python_json(text).ok()) << text;
}

}  // namespace
}  // namespace holdfast::model
