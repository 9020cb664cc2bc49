#include "codec/percent.h"

#include <gtest/gtest.h>

namespace holdfast::codec {
namespace {

struct Case {
  const char* why;
  std::string_view text, segment, path, form;
};
// Answers of Python's urllib.parse: quote(safe=""), quote(safe="/"), quote_plus.
constexpr Case cases[] = {
    {"nothing", "", "", "", ""},
    {"a branch of a pull request", "refs/pr/1", "refs%2Fpr%2F1", "refs/pr/1", "refs%2Fpr%2F1"},
    {"the unreserved", "AZaz09-._~", "AZaz09-._~", "AZaz09-._~", "AZaz09-._~"},
    {"a space and a plus", "a b+c", "a%20b%2Bc", "a%20b%2Bc", "a+b%2Bc"},
    {"the reserved", ":?#[]@!$&'()*,;=%", "%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2C%3B%3D%25",
     "%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2C%3B%3D%25",
     "%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2C%3B%3D%25"},
    {"two bytes", "na\303\257ve", "na%C3%AFve", "na%C3%AFve", "na%C3%AFve"},
    {"four bytes", "\360\237\244\227/x", "%F0%9F%A4%97%2Fx", "%F0%9F%A4%97/x", "%F0%9F%A4%97%2Fx"},
    {"control characters", "a\011b\012", "a%09b%0A", "a%09b%0A", "a%09b%0A"},
};

TEST(Percent, encoding_agrees_with_python_and_comes_back) {
  for (const auto& [why, text, segment, path, form] : cases) {
    EXPECT_EQ(percent_encode(text), segment) << why;
    EXPECT_EQ(percent_encode(text, PercentKeep::slash), path) << why;
    EXPECT_EQ(form_encode(text), form) << why;
    EXPECT_EQ(percent_decode(segment).value(), text) << why;
    EXPECT_EQ(percent_decode(path).value(), text) << why;
    EXPECT_EQ(form_decode(form), text) << why;
  }
}

TEST(Percent, a_broken_escape_is_refused_in_a_path_and_kept_in_a_form) {
  for (std::string_view text : {"%", "%4", "%zz", "a%", "%%41"})
    EXPECT_FALSE(percent_decode(text).ok()) << text;
  EXPECT_EQ(form_decode("100%"), "100%");
  EXPECT_EQ(form_decode("%zz%41"), "%zzA");
  EXPECT_EQ(percent_decode("a+b%2B").value(), "a+b+");
  EXPECT_EQ(percent_decode("%00").value(), std::string(1, '\0'));
}

TEST(Percent, a_form_is_its_pairs_in_order) {
  const FormPairs expected = {
      {"paths", "a b"}, {"paths", "c/d"}, {"expand", ""}, {"empty", ""}, {"x", "1=2"}};
  EXPECT_EQ(parse_form("paths=a+b&paths=c%2Fd&expand&&empty=&x=1=2").value(), expected);
  EXPECT_TRUE(parse_form("").value().empty());
  EXPECT_EQ(parse_form("a&b&c", 2).error().reason, Reason::body_too_large);
}

}  // namespace
}  // namespace holdfast::codec
