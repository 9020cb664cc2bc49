#include "api/input_check.h"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

TEST(InputCheck, ControlCharactersOfStringsAreFoundHoweverTheyAreWritten) {
  struct Case {
    const char *why, *json, *found;  // Found: null where it is fine.
  };
  const Case cases[] = {{"plain text", R"({"inputs": "a fine day"})", nullptr},
                        {"white space", R"({"inputs": "a\tb\nc\rd\fe"})", nullptr},
                        {"the same by number", R"({"inputs": "\u0009\u000A\u000d\u000C"})", nullptr},
                        {"zero", R"({"inputs": "a\u0000b"})", "U+0000"},
                        {"a bell, in an array", R"(["x", "\u0007"])", "U+0007"},
                        {"an escape with capitals", R"({"inputs": "\u001B[31m"})", "U+001B"},
                        {"a backspace by its letter", R"({"inputs": "\b"})", "U+0008"},
                        {"delete by number", R"({"inputs": "\u007f"})", "U+007F"},
                        {"delete itself", "{\"inputs\": \"\x7f\"}", "U+007F"},
                        {"in a key", R"({"\u0001": 1})", "U+0001"},
                        {"a backslash and letters", R"({"inputs": "\\u0000 \\b"})", nullptr},
                        {"a backslash and then one", R"({"inputs": "\\\u0000"})", "U+0000"},
                        {"a character above", R"({"inputs": "\u00e9\ud83e\udda6"})", nullptr},
                        {"cut short", R"({"inputs": "\u00)", nullptr},
                        {"cut shorter", R"({"inputs": "\)", nullptr}};
  for (const Case& one : cases) {
    const Status checked = check_json_characters(one.json);
    EXPECT_EQ(checked.ok(), one.found == nullptr) << one.why;
    if (!checked.ok() && one.found != nullptr) {
      EXPECT_NE(checked.error().message.find(one.found), std::string::npos) << one.why;
      EXPECT_EQ(checked.error().reason, Reason::bad_request) << one.why;
    }
  }
}

TEST(InputCheck, TextsOfBinaryTensorsAreHeldToTheSame) {
  EXPECT_TRUE(check_text_characters("a\tbé\n").ok());
  EXPECT_FALSE(check_text_characters(std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(check_text_characters("\x1b[0m").ok());
  EXPECT_FALSE(check_text_characters("\xC3").ok());
}

}  // namespace
}  // namespace holdfast::api
