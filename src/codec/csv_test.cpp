#include "codec/csv.h"

#include <gtest/gtest.h>

namespace holdfast::codec {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(Csv, RowsAreReadAsRfc4180HasThem) {
  struct Case {
    const char* name;
    std::string_view text;
    Rows rows;
  };
  const Case cases[] = {
      {"nothing", "", {}},
      {"plain", "a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}},
      {"no line end at the end", "a,b\r\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"quotes", "a\n\"x,\"\"y\"\"\nz\"\n", {{"a"}, {"x,\"y\"\nz"}}},
      {"empty values", "a,b\n,\n\"\",x\n", {{"a", "b"}, {"", ""}, {"", "x"}}},
      {"empty lines and a byte order mark",
       "\xEF\xBB\xBF"
       "a\n\n\r\nb\n",
       {{"a"}, {"b"}}},
  };
  for (const Case& one : cases) {
    const auto rows = parse_csv(one.text);
    ASSERT_TRUE(rows.ok()) << one.name << ": " << rows.error().message;
    EXPECT_EQ(rows.value(), one.rows) << one.name;
  }
}

TEST(Csv, WhatIsBrokenIsNamedByItsLine) {
  struct Case {
    std::string_view text, message;
  };
  const Case cases[] = {{"a,b\n1\n", "line 2 has 1 columns"},
                        {"a\n\"x", "the quote of line 2 does not end"},
                        {"a\n\"x\"y\n", "line 2: a quote ends inside"}};
  for (const Case& one : cases)
    EXPECT_NE(parse_csv(one.text).error().message.find(one.message), std::string::npos) << one.text;
  EXPECT_FALSE(parse_csv("a\nb\nc\n", {.rows_max = 2}).ok());
}

}  // namespace
}  // namespace holdfast::codec
