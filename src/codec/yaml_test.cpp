#include "codec/yaml.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>

#include "codec/json.h"

namespace holdfast::codec {
namespace {

constexpr std::string_view refused = "";
struct Case {
  const char* why;
  std::string_view yaml, json;
};
// Answers of PyYAML 6.0.3's safe_load as json.dumps writes them, infinities and not-a-number as null.
constexpr Case cases[] = {
    {"a card", "license: mit\nlanguage:\n- en\n- no\ntags: [a, \"b\", 'c']\n",
     "{\"license\":\"mit\",\"language\":[\"en\",false],\"tags\":[\"a\",\"b\",\"c\"]}"},
    {"a nested index",
     "model-index:\n- name: x\n  results:\n  - task: {type: text-classification}\n    metrics:\n    - {type: "
     "accuracy, value: 0.91}\n",
     "{\"model-index\":[{\"name\":\"x\",\"results\":[{\"task\":{\"type\":\"text-classification\"},"
     "\"metrics\":[{\"type\":\"accuracy\",\"value\":0.91}]}]}]}"},
    {"flags", "[yes, No, TRUE, on, OFF, y, n, True, tRUE]",
     "[true,false,true,true,false,\"y\",\"n\",true,\"tRUE\"]"},
    {"nulls", "a: ~\nb: null\nc:\nd: Null\ne: nULL\n",
     "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":\"nULL\"}"},
    {"integers", "[0, 12, -3, +4, 0x1F, 0b101, 017, 1_000, 08, 0o7, 00, 0_7, 1__2, 12e3]",
     "[0,12,-3,4,31,5,15,1000,\"08\",\"0o7\",0,7,12,\"12e3\"]"},
    {"large integers", "[9223372036854775807, 18446744073709551615, -9223372036854775808]",
     "[9223372036854775807,18446744073709551615,-9223372036854775808]"},
    {"numbers",
     "[1.5, -0.25, 1e3, 1.5e+3, 1.5e3, 1.e-2, .5, -.5, 1_0.5, 5., 1.0, 1e-5, 1.2.3, '.', 6.8523015e+5]",
     "[1.5,-0.25,\"1e3\",1500.0,\"1.5e3\",0.01,0.5,\"-.5\",10.5,5.0,1.0,\"1e-5\",\"1.2.3\",\".\",685230.15]"},
    {"versions are text", "version: 1.2.3\nsha: 1e10\nrev: 0e0\n",
     "{\"version\":\"1.2.3\",\"sha\":\"1e10\",\"rev\":\"0e0\"}"},
    {"quoted", "['1', \"true\", '', \"a\\tb\\u00e9\", 'it''s']",
     "[\"1\",\"true\",\"\",\"a\\tb\303\251\",\"it's\"]"},
    {"block text", "a: |\n  one\n  two\nb: >\n  one\n  two\n\n  three\nc: |-\n  x\nd: |+\n  y\n\n",
     "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\\nthree\\n\",\"c\":\"x\",\"d\":\"y\\n\\n\"}"},
    {"folded plain text", "a: one\n  two\n  three\nb: 'x\n  y'\n", "{\"a\":\"one two three\",\"b\":\"x y\"}"},
    {"keys of other types", "7: a\ntrue: b\nnull: c\n1.5: d\n",
     "{\"7\":\"a\",\"true\":\"b\",\"null\":\"c\",\"1.5\":\"d\"}"},
    {"an alias", "a: &x [1, 2]\nb: *x\nc: *x\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":[1,2]}"},
    {"a merge", "base: &b {x: 1, y: 2}\nall: {<<: *b, y: 3, z: 4}\n",
     "{\"base\":{\"x\":1,\"y\":2},\"all\":{\"x\":1,\"y\":3,\"z\":4}}"},
    {"merges, the first wins", "a: &a {k: 1, m: 1}\nb: &b {k: 2, n: 2}\nc:\n  <<: [*a, *b]\n  o: 3\n",
     "{\"a\":{\"k\":1,\"m\":1},\"b\":{\"k\":2,\"n\":2},\"c\":{\"k\":1,\"n\":2,\"m\":1,\"o\":3}}"},
    {"a quoted merge key is a key", "a: {\"<<\": 1}", "{\"a\":{\"<<\":1}}"},
    {"explicit types", "[!!str 12, !!int '7', !!float 3, !!bool 'yes', !!null '', !!str yes]",
     "[\"12\",7,3.0,true,null,\"yes\"]"},
    {"comments", "# top\na: 1 # side\n# end\nb: 'x # y'\n", "{\"a\":1,\"b\":\"x # y\"}"},
    {"a document marker", "---\na: 1\n", "{\"a\":1}"},
    {"a document end", "a: 1\n...\n", "{\"a\":1}"},
    {"an empty document", "", "null"},
    {"only a comment", "# nothing\n", "null"},
    {"a scalar", "just text", "\"just text\""},
    {"equal keys, the last wins", "a: 1\nb: 2\na: 3\n", "{\"a\":3,\"b\":2}"},
    {"unicode", "emoji: \360\237\244\227\nname: na\303\257ve\n",
     "{\"emoji\":\"\360\237\244\227\",\"name\":\"na\303\257ve\"}"},
    {"an indented list", "a:\n  - b\n  -\n    c: 1\n  - - d\n", "{\"a\":[\"b\",{\"c\":1},[\"d\"]]}"},
    {"colons", "url: https://example.org/a:b\ntime: \"12:30\"\n",
     "{\"url\":\"https://example.org/a:b\",\"time\":\"12:30\"}"},
    {"complex flow", "{a: [1, {b: c}], d: {e: [f]}}", "{\"a\":[1,{\"b\":\"c\"}],\"d\":{\"e\":[\"f\"]}}"},
    {"an explicit key", "? a\n: 1\n? b\n", "{\"a\":1,\"b\":null}"},
    {"windows line ends", "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    {"infinities", "[.inf, -.Inf, .nan]", "[null,null,null]"},
    {"an unknown tag", "!python/object:os.system x", refused},
    {"python's own tag", "!!python/name:os.system x", refused},
    {"binary", "!!binary aGk=", refused},
    {"a set", "!!set {a, b}", refused},
    {"two documents", "a: 1\n---\nb: 2\n", refused},
    {"an alias without anchor", "a: *x\n", refused},
    {"unclosed", "a: [1, 2\n", refused},
    {"a tab as indentation", "a:\n\t- b\n", refused},
    {"a list as key", "? [a]\n: 1\n", refused},
    {"merging a scalar", "a: {<<: 1}", refused},
    {"bad indentation", "a: 1\n b: 2\n", refused},
    {"an integer that is none", "!!int x", refused},
    {"a control character", "a: \"\001\"\n", refused},
};

TEST(Yaml, agrees_with_pyyaml) {
  for (const auto& [why, yaml, json] : cases) {
    const auto got = parse_yaml(yaml);
    if (json == refused)
      EXPECT_FALSE(got.ok()) << why << ": " << to_text(got.value());
    else if (!got.ok())
      ADD_FAILURE() << why << ": " << got.error().message;
    else
      EXPECT_EQ(to_text(got.value()), json) << why;
  }
}

TEST(Yaml, departures_from_pyyaml_are_these) {
  EXPECT_EQ(to_text(parse_yaml("[2024-01-31, 1:30, 2001-12-14T21:59:43Z]").value()),
            R"(["2024-01-31","1:30","2001-12-14T21:59:43Z"])");
  EXPECT_EQ(to_text(parse_yaml("36893488147419103232").value()), "36893488147419103232.0");
  EXPECT_EQ(to_text(parse_yaml("a:\t1\n").value()), R"({"a":1})");
}

TEST(Yaml, an_error_names_its_line) {
  EXPECT_NE(parse_yaml("a: 1\nb: [\n").error().message.find("line 3"), std::string::npos);
  EXPECT_NE(parse_yaml("a: 1\nb: *x\n").error().message.find("line 2"), std::string::npos);
}

TEST(Yaml, a_document_that_grows_when_read_is_refused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_NE(parse_yaml(bomb).error().message.find("too many"), std::string::npos);
  std::string long_text = "a: &a " + std::string(500'000, 'x') + "\nb: [";
  for (int i = 0; i < 1000; ++i) long_text += "*a, ";
  EXPECT_NE(parse_yaml(long_text + "]").error().message.find("too many"), std::string::npos);
  EXPECT_FALSE(parse_yaml("&a [*a]").ok());
}

TEST(Yaml, depth_and_length_are_bounded) {
  EXPECT_TRUE(parse_yaml(std::string(32, '[') + std::string(32, ']')).ok());
  EXPECT_FALSE(parse_yaml(std::string(33, '[') + std::string(33, ']')).ok());
  for (std::string_view opening : {"[", "{", "- ", "? ", "a: {", "[{a: "}) {
    std::string deep;
    while (deep.size() < 100'000) deep += opening;
    EXPECT_FALSE(parse_yaml(deep).ok()) << opening;
  }
  EXPECT_EQ(parse_yaml(std::string(2 << 20, ' ')).error().reason, Reason::body_too_large);
  EXPECT_FALSE(parse_yaml("a: \xff\n").ok());
}

}  // namespace
}  // namespace holdfast::codec
