// Grammars of schemas, regular expressions and GBNF: what they let through, against judges of their own.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12 sees ghosts in <regex>.
#endif
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <random>
#include <regex>

#include "codec/json.h"
#include "model/structured/gbnf.h"
#include "model/structured/json_schema.h"
#include "model/structured/regex_grammar.h"
#include "model/structured/token_mask.h"

namespace holdfast::model::structured {
namespace {

using boost::json::value;

std::shared_ptr<const Grammar> shared(Result<Grammar> made) {
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return std::make_shared<const Grammar>(made.ok() ? std::move(made).value() : Grammar{{Rule{}}, {}, 0});
}

bool accepts(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
  Matcher matcher(grammar);
  auto position = matcher.start();
  for (const char byte : text) position = matcher.after(position, static_cast<uint8_t>(byte));
  EXPECT_FALSE(matcher.exhausted());
  return matcher.complete(position);
}

// A text of the grammar: wanders, and takes what ends sooner once it is long. Nothing when it got lost.
std::optional<std::string> sample(const std::shared_ptr<const Grammar>& grammar, std::mt19937& random) {
  Matcher matcher(grammar);
  auto position = matcher.start();
  std::string text;
  while (text.size() < 600) {
    const ByteSet allowed = matcher.allowed(position);
    if (matcher.complete(position) && (allowed.none() || random() % 4 == 0)) return text;
    std::vector<uint8_t> bytes;
    for (unsigned byte = 0; byte < 256; ++byte)
      if (allowed.test(byte)) bytes.push_back(static_cast<uint8_t>(byte));
    if (bytes.empty()) return std::nullopt;
    // Closing bytes often, or random nesting never comes back.
    uint8_t byte = bytes[random() % bytes.size()];
    for (const char closing : {'}', ']', '"'})
      if (random() % 3 == 0 && allowed.test(static_cast<uint8_t>(closing)))
        byte = static_cast<uint8_t>(closing);
    text.push_back(static_cast<char>(byte));
    position = matcher.after(position, byte);
  }
  return std::nullopt;
}

TEST(RegexGrammar, AgreesWithTheStandardLibraryOnRandomTexts) {
  const char* const patterns[] = {"a(b|c)*d?",
                                  "[a-c]{2,4}x",
                                  "(ab|a)(c|bcd)?",
                                  "[^ab]+",
                                  "x{0,3}y{2}",
                                  "a+?b",
                                  "\\d{1,3}(\\.\\d+)?",
                                  "(?:a|b(?:c|d)){1,2}",
                                  "\\w\\W\\w",
                                  "",
                                  "a|",
                                  ".b.",
                                  "^(a|bc)$",
                                  "[\\d-]+",
                                  "[]a]+"};
  for (const char* const pattern : patterns) {
    const auto grammar = shared(grammar_of_regex(pattern));
    // std::regex reads "[]a]" as an empty class; ours as POSIX and Python do.
    const std::regex judge(std::string_view(pattern) == "[]a]+" ? "[\\]a]+" : pattern);
    std::mt19937 random(7);
    for (int i = 0; i < 500; ++i) {
      std::string text;
      for (size_t length = random() % 7; text.size() < length;) text.push_back("abcdxy 1.-]"[random() % 11]);
      ASSERT_EQ(accepts(grammar, text), std::regex_match(text, judge)) << pattern << " on " << text;
    }
    for (int i = 0; i < 100; ++i)
      if (const auto text = sample(grammar, random);
          text && text->find_first_of("\n\r") == std::string::npos) {
        const bool ascii = std::all_of(text->begin(), text->end(), [](char c) { return c >= 0; });
        EXPECT_TRUE(!ascii || std::regex_match(*text, judge)) << pattern << " on " << *text;
      }
  }
}

TEST(RegexGrammar, TakesWholeCharacters) {
  const auto grammar = shared(grammar_of_regex("[é-ü].[^a]"));
  EXPECT_TRUE(accepts(grammar, "ö漢🙂"));
  EXPECT_FALSE(accepts(grammar, "ö漢a"));
  EXPECT_FALSE(accepts(grammar, "ö\xE6\xBC\xFF"));
  EXPECT_FALSE(accepts(grammar, "e漢b"));
}

TEST(RegexGrammar, RefusesWhatItDoesNotKnowAndNamesThePlace) {
  for (const char* const pattern :
       {"(?=a)", "(?<!a)b", "a\\b", "(a)\\1", "a**", "(", ")", "[a", "a{3,2}", "a{99999}", "\\", "[b-a]",
        "*a", "a^b", "(?i)a", "\\p{L}", "a{2}{3}", "\xFF", "(a*)*"}) {
    const auto made = grammar_of_regex(pattern);
    ASSERT_FALSE(made.ok()) << pattern;
    EXPECT_EQ(made.error().reason, Reason::bad_request);
  }
}

// The few keywords that the schemas below use, read by somebody else.
bool valid(const value& schema, const value& text) {
  if (!schema.is_object()) return true;
  const auto& s = schema.as_object();
  if (const auto* one = s.if_contains("const")) return *one == text;
  if (const auto* list = s.if_contains("enum"))
    return std::find(list->as_array().begin(), list->as_array().end(), text) != list->as_array().end();
  if (const auto* list = s.if_contains("anyOf"))
    return std::any_of(list->as_array().begin(), list->as_array().end(),
                       [&](const value& v) { return valid(v, text); });
  const auto number = [&](const char* key, double otherwise) {
    const auto* found = s.if_contains(key);
    return found == nullptr ? otherwise : found->to_number<double>();
  };
  const std::string type = s.contains("type") ? std::string(s.at("type").as_string()) : "";
  if (type == "integer") {
    if (!text.is_int64()) return false;
    const auto n = static_cast<double>(text.as_int64());
    return n >= number("minimum", -1e18) && n <= number("maximum", 1e18) &&
           n > number("exclusiveMinimum", -2e18);
  }
  if (type == "number") return text.is_number();
  if (type == "boolean") return text.is_bool();
  if (type == "null") return text.is_null();
  if (type == "string") {
    if (!text.is_string()) return false;
    const std::string t(text.as_string());
    const auto length =
        static_cast<double>(std::count_if(t.begin(), t.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    if (s.contains("pattern") && !std::regex_search(t, std::regex(std::string(s.at("pattern").as_string()))))
      return false;
    return length >= number("minLength", 0) && length <= number("maxLength", 1e9);
  }
  if (type == "array") {
    if (!text.is_array()) return false;
    const auto& items = text.as_array();
    const size_t fixed = s.contains("prefixItems") ? s.at("prefixItems").as_array().size() : 0;
    for (size_t i = 0; i < items.size(); ++i)
      if (i < fixed ? !valid(s.at("prefixItems").as_array()[i], items[i])
                    : s.contains("items") && !valid(s.at("items"), items[i]))
        return false;
    return double(items.size()) >= number("minItems", 0) && double(items.size()) <= number("maxItems", 1e9);
  }
  if (type != "object") return true;
  if (!text.is_object()) return false;
  const auto& members = text.as_object();
  const auto* properties = s.if_contains("properties");
  for (const auto& [name, member] : members) {
    const value* known = properties == nullptr ? nullptr : properties->as_object().if_contains(name);
    const value* more = s.if_contains("additionalProperties");
    if (known != nullptr ? !valid(*known, member)
                         : more != nullptr && (more->is_bool() ? !more->as_bool() : !valid(*more, member)))
      return false;
  }
  if (const auto* required = s.if_contains("required"))
    for (const value& name : required->as_array())
      if (!members.contains(name.as_string())) return false;
  return true;
}

TEST(JsonSchema, EveryTextOfTheGrammarIsValidJsonOfTheSchema) {
  const char* const schemas[] = {
      "{}",
      R"({"type": "object"})",
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 3},
          "c": {"type": "boolean"}}, "required": ["b"]})",
      R"({"type": "object", "properties": {"name": {"type": "null"}, "nam": {"type": "null"}},
          "additionalProperties": {"type": "integer", "minimum": -3, "maximum": 12}, "required": ["x"]})",
      R"({"type": "array", "items": {"type": "integer", "minimum": 17, "maximum": 4203}, "minItems": 1, "maxItems": 3})",
      R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}], "items": {"type": "number"}})",
      R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}], "items": false, "minItems": 2})",
      R"({"enum": ["red", "gre\"en", 3, null, {"k": [1, 2.5]}, true]})",
      R"({"const": {"a": [true, "x\ny"]}})",
      R"({"anyOf": [{"type": "integer", "exclusiveMinimum": 98}, {"type": "string", "minLength": 2, "maxLength": 4}]})",
      R"({"type": "string", "pattern": "^[a-c]{2}\\.\\d+$"})",
      R"({"type": "string", "pattern": "^b[\"\\\\]+c"})",
      R"({"type": "string", "format": "date-time"})",
      R"({"type": "integer", "minimum": -120, "maximum": -7})",
      R"({"type": "integer", "minimum": 5})",
      R"({"type": ["string", "integer"], "maxLength": 2, "maximum": 4})",
  };
  for (const char* const text : schemas) {
    const value schema = codec::parse_json(text).value();
    const auto grammar = shared(grammar_of_schema(schema));
    std::mt19937 random(3);
    size_t samples = 0;
    for (int i = 0; i < 60; ++i) {
      const auto made = sample(grammar, random);
      if (!made) continue;
      ++samples;
      const auto parsed = codec::parse_json(*made, {.depth_max = 600});
      ASSERT_TRUE(parsed.ok()) << text << "\n" << *made;
      if (schema.is_object() && schema.as_object().contains("type") &&
          schema.as_object().at("type").is_array())
        continue;
      EXPECT_TRUE(valid(schema, parsed.value())) << text << "\n" << *made;
    }
    EXPECT_GT(samples, 10U) << text;
  }
}

TEST(JsonSchema, TakesWhatTheSchemaAllows) {
  struct Case {
    const char* schema;
    const char* text;
    bool taken;
  };
  const Case cases[] = {
      {R"({"type": "integer", "minimum": 17, "maximum": 4203})", "17", true},
      {R"({"type": "integer", "minimum": 17, "maximum": 4203})", "4203", true},
      {R"({"type": "integer", "minimum": 17, "maximum": 4203})", "999", true},
      {R"({"type": "integer", "minimum": 17, "maximum": 4203})", "4204", false},
      {R"({"type": "integer", "minimum": 17, "maximum": 4203})", "16", false},
      {R"({"type": "integer"})", "-0", false},
      {R"({"type": "integer"})", "-10", true},
      {R"({"type": "number"})", "-0.5e-3", true},
      {R"({"type": "number"})", "01", false},
      {"{}", R"({"a": [1, {"b": "\u00e9\n"}], "c": null})", true},
      {"{}", "[1,]", false},
      {R"({"type": "string"})", "\"a\nb\"", false},
      {R"({"type": "string", "maxLength": 2})", R"("\u0041é")", true},
      {R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"},
          {"$ref": "#/$defs/n"}]}}, "required": ["next"]}}})",
       R"({"next": {"next": {"next": null}}})", true},
      {R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"},
          {"$ref": "#/$defs/n"}]}}, "required": ["next"]}}})",
       R"({"next": {}})", false},
      {R"({"type": "object", "properties": {"ab": true}, "additionalProperties": {"type": "null"}})",
       R"({"a": null, "abc": null, "": null})", true},
      {R"({"type": "object", "properties": {"ab": {"type": "integer"}}, "additionalProperties": {"type": "null"}})",
       R"({"ab": null})", false},
      {R"({"oneOf": [{"type": "null"}, {"type": "string"}]})", "null", true},
  };
  for (const auto& [schema, text, taken] : cases)
    EXPECT_EQ(accepts(shared(grammar_of_schema(codec::parse_json(schema).value())), text), taken)
        << schema << "\n"
        << text;
}

TEST(JsonSchema, NamesTheKeywordItDoesNotKnow) {
  struct Case {
    const char* schema;
    const char* place;
  };
  const Case cases[] = {
      {R"({"type": "object", "properties": {"a": {"type": "number", "multipleOf": 2}}})",
       "#/properties/a/multipleOf"},
      {R"({"not": {}})", "#/not"},
      {R"({"type": "array", "items": {"type": "string", "format": "regex"}})", "#/items/format"},
      {R"({"type": "array", "uniqueItems": true})", "#/uniqueItems"},
      {R"({"if": {}, "then": {}})", "#/if"},
      {R"({"type": "object", "patternProperties": {}})", "#/patternProperties"},
      {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "#/oneOf"},
      {R"({"$ref": "#/$defs/none"})", "#/$ref"},
      {R"({"$ref": "https://example.org/s"})", "#/$ref"},
      {R"({"type": "text"})", "#/type"},
      {R"({"type": "object", "required": ["a"], "additionalProperties": false})", "#/required"},
      {R"({"$ref": "#"})", ""},
      {"false", "#"},
      {"3", "#"},
  };
  for (const auto& [schema, place] : cases) {
    const auto made = grammar_of_schema(codec::parse_json(schema).value());
    ASSERT_FALSE(made.ok()) << schema;
    EXPECT_EQ(made.error().reason, Reason::bad_request);
    EXPECT_NE(made.error().message.find(place), std::string::npos) << made.error().message;
  }
}

TEST(JsonSchema, ABombIsRefusedNotUnfolded) {
  std::string bomb = R"({"type": "string", "maxLength": 9})";
  for (int i = 0; i < 12; ++i)
    bomb = R"({"type": "array", "minItems": 9, "maxItems": 9, "items": )" + bomb + "}";
  EXPECT_FALSE(grammar_of_schema(codec::parse_json(bomb).value()).ok());
}

TEST(Gbnf, ReadsRulesClassesAndRepetition) {
  const auto grammar =
      shared(grammar_of_gbnf("# moves\nroot ::= (\"1. \" move \" \" move \"\\n\")+ # many\n"
                             "move ::= [a-h] [1-8] |\n  \"O-O\" (\"-O\")?\n"));
  EXPECT_TRUE(accepts(grammar, "1. e4 O-O-O\n1. a1 h8\n"));
  EXPECT_FALSE(accepts(grammar, "1. e9 e5\n"));
  EXPECT_FALSE(accepts(grammar, ""));
  const auto counted = shared(grammar_of_gbnf("root ::= [^0-9\\n]{2,3} \"\\u00e9\" ."));
  EXPECT_TRUE(accepts(counted, "ab\xC3\xA9!"));
  EXPECT_FALSE(accepts(counted, "a\xC3\xA9!"));
}

TEST(Gbnf, RefusesWithTheLine) {
  for (const char* const text :
       {"", "a ::= \"x\"", "root ::= other", "root ::= \"x", "root ::= [a", "root = \"x\"", "root ::= (\"a\"",
        "root ::= root \"a\"", "root ::= \"a\"{3,1}", "root ::= \"\\q\"", "root ::= \"a\"\nroot ::= \"b\"",
        "root ::= a\na ::= b\nb ::= a | \"x\"", "root ::= \"\\uD800\"", "\xFF"}) {
    const auto made = grammar_of_gbnf(text);
    ASSERT_FALSE(made.ok()) << text;
    EXPECT_EQ(made.error().reason, Reason::bad_request);
  }
}

TEST(Constraint, LetsThroughExactlyTheTokensThatCanFollow) {
  const std::vector<std::string> vocabulary = {"",  "{",  "\"a", "\"", "a\"",    ": ", ":",
                                               " ", "12", "1",   "}",  "\"a\":", "x",  ""};
  const TokenTree tree(vocabulary);
  const auto schema =
      codec::parse_json(R"({"type": "object", "properties": {"a": {"type": "integer", "maximum": 20}},
    "required": ["a"]})")
          .value();
  const auto grammar = shared(grammar_of_schema(schema));
  std::mt19937 random(5);
  for (int run = 0; run < 40; ++run) {
    Constraint constraint(grammar, tree, {13});
    std::string text;
    for (int step = 0; step < 40; ++step) {
      std::vector<float> scores(vocabulary.size(), 1);
      ASSERT_TRUE(constraint.restrict(scores).ok()) << text;
      std::vector<uint32_t> left;
      for (uint32_t id = 0; id < scores.size(); ++id) {
        // The plain twin: byte by byte from the start.
        Matcher matcher(grammar);
        auto position = matcher.start();
        for (const char byte : text + vocabulary[id])
          position = matcher.after(position, static_cast<uint8_t>(byte));
        const bool wanted = id == 13 ? constraint.complete() : !vocabulary[id].empty() && !position.empty();
        ASSERT_EQ(scores[id] == 1, wanted) << text << " then " << vocabulary[id];
        if (wanted) left.push_back(id);
      }
      const uint32_t id = left[random() % left.size()];
      ASSERT_TRUE(constraint.accept(id, vocabulary[id]));
      if (id == 13) break;
      text += vocabulary[id];
    }
  }
  Constraint stuck(shared(grammar_of_regex("[0-9]z")), tree, {13});
  std::vector<float> scores(vocabulary.size(), 1);
  ASSERT_TRUE(stuck.restrict(scores).ok());
  EXPECT_FALSE(stuck.accept(8, "12"));
  EXPECT_TRUE(stuck.accept(9, "1"));
  EXPECT_EQ(stuck.restrict(scores).error().reason, Reason::bad_request);  // No token spells z.
}

}  // namespace
}  // namespace holdfast::model::structured
