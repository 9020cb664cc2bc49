#include <gtest/gtest.h>

#include <random>

#include "token/regex/regex.h"
#include "token/tokenizer.h"
#include "token/unicode/graphemes.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

struct Row {
  const char* name;
  std::string_view pattern;
  bool half, cent, dollar, underscore;  // What it matches, as the reference library 0.23.3 answers.
};

class Classes : public testing::TestWithParam<Row> {};

bool matches(std::string_view pattern, std::string_view text) {
  std::string escaped;
  for (const char letter : pattern) escaped += letter == '\\' ? std::string("\\\\") : std::string(1, letter);
  const auto tokenizer = Tokenizer::load(
      R"({"pre_tokenizer":{"type":"Split","behavior":"Removed","invert":false,"pattern":{"Regex":")" +
      escaped + R"("}},"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const auto got = tokenizer.value().encode({.text = text, .words = {}, .pair = {}}, {});
  EXPECT_TRUE(got.ok());
  return got.value().ids.empty();
}

TEST_P(Classes, HoldWhatTheyHoldInTheReference) {
  const Row& row = GetParam();
  EXPECT_EQ(matches(row.pattern, "\xC2\xBD"), row.half);
  EXPECT_EQ(matches(row.pattern, "\xC2\xA2"), row.cent);
  EXPECT_EQ(matches(row.pattern, "$"), row.dollar);
  EXPECT_EQ(matches(row.pattern, "_"), row.underscore);
}

INSTANTIATE_TEST_SUITE_P(
    Words, Classes,
    testing::Values(Row{"word", R"(\w)", true, false, false, true},
                    Row{"word_in_brackets", R"([\w])", false, false, false, true},
                    Row{"no_word_in_brackets", R"([\W])", true, true, true, false},
                    Row{"word_property", R"(\p{Word})", true, false, false, true},
                    Row{"word_property_in_brackets", R"([\p{Word}])", false, false, false, true},
                    Row{"word_of_posix", "[[:word:]]", false, false, false, true},
                    Row{"punctuation_property", R"(\p{Punct})", false, false, false, true},
                    Row{"punctuation_of_posix", "[[:punct:]]", false, true, true, true}),
    [](const auto& test) { return std::string(test.param.name); });

// Of "aAıİkKſsßẞ1", what a pattern matches of each character alone, as the reference library 0.23.3 answers.
TEST(Caseless, ClassesHaveTheOtherCasesOfWhatIsNamedInTheirOutermostBrackets) {
  constexpr std::string_view letters[] = {"a",        "A", "\xC4\xB1", "\xC4\xB0",     "k", "\xE2\x84\xAA",
                                          "\xC5\xBF", "s", "\xC3\x9F", "\xE1\xBA\x9E", "1"};
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"((?i)[a-z])", "aAk\xE2\x84\xAA\xC5\xBFs"},
      {R"((?i)[^a-z])",
       "\xC4\xB1\xC4\xB0\xC3\x9F\xE1\xBA\x9E"
       "1"},
      {R"((?i)[^K])",
       "aA\xC4\xB1\xC4\xB0\xC5\xBFs\xC3\x9F\xE1\xBA\x9E"
       "1"},
      {R"((?i)\p{Lu})", "A\xC4\xB0\xE2\x84\xAA\xE1\xBA\x9E"},
      {R"((?i)[\p{Lu}])", "aA\xC4\xB0k\xE2\x84\xAA\xC5\xBFs\xC3\x9F\xE1\xBA\x9E"},
      {R"((?i)[a-z&&[^k]])", "aA\xC5\xBFs"},
      {R"((?i)[ß])", "\xC3\x9F\xE1\xBA\x9E"},
  };
  for (const auto& [pattern, wanted] : rows) {
    std::string got;
    for (const std::string_view letter : letters)
      if (matches(pattern, letter)) got += letter;
    EXPECT_EQ(got, wanted) << pattern;
  }
}

// The end of a line is before each line feed and at the end of the text, after one too; a begin is not there.
TEST(Lines, EndAndBeginWhereTheReferenceHasThem) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"$", "aX\nX|X\nX|aX\nbX\nX"}, {"\\s+$", "aX|X|a\nbX"},  {"\\n?$", "aX|X|aX\nbX"},
      {"^", "Xa\n|X\n|Xa\nXb\n"},    {"^$", "a\n|X\n|a\nb\n"}, {"\\z", "a\nX|\nX|a\nb\nX"}};
  for (const auto& [pattern, wanted] : rows) {
    const auto regex = compile_regex(pattern);
    ASSERT_TRUE(regex.ok()) << pattern;
    std::string got;
    for (const std::string_view text : {"a\n", "\n", "a\nb\n"}) {
      if (!got.empty()) got += '|';
      const auto found = regex.value()->find(text);
      ASSERT_TRUE(found.ok()) << pattern;
      for (const Match& match : found.value())
        got += match.delimiter ? std::string("X")
                               : std::string(text.substr(match.begin, match.end - match.begin));
    }
    EXPECT_EQ(got, wanted) << pattern;
  }
}

std::string with_bars(std::string_view pattern, std::string_view text) {
  const auto regex = compile_regex(pattern);
  EXPECT_TRUE(regex.ok()) << pattern;
  const auto found = regex.value()->find(text);
  EXPECT_TRUE(found.ok()) << pattern;
  std::string out;
  for (const Match& match : found.value())
    out += std::string(text.substr(match.begin, match.end - match.begin)) + "|";
  return out;
}

// As the reference library 0.23.3 answers.
TEST(Graphemes, AreCutAsInTheReference) {
  EXPECT_EQ(with_bars(R"(\X)", "a\r\n\u0301b\u0301\u0903"), "a|\r\n|\u0301|b\u0301\u0903|");
  EXPECT_EQ(with_bars(R"(\X)", "\u0915\u094D\u0915\u094D\u200D\u0915x"),
            "\u0915\u094D|\u0915\u094D\u200D|\u0915|x|");
  EXPECT_EQ(with_bars(R"(\X)", "\u094D\u0915"), "\u094D|\u0915|");
  EXPECT_EQ(with_bars(R"((?i)\X)", "\U0001F469\u200D\U0001F4BB\U0001F1E9\U0001F1EA\U0001F1E9"),
            "\U0001F469\u200D\U0001F4BB|\U0001F1E9\U0001F1EA|\U0001F1E9|");
  EXPECT_EQ(with_bars(R"(\p{Emoji_Presentation})", "a\U0001F469b"), "a|\U0001F469|b|");
}

// As the reference library 0.23.3 answers.
TEST(Caseless, SeveralCharactersAreOneAndOneSeveral) {
  EXPECT_EQ(with_bars("(?i)ss", "a\u00DFSS\u1E9Es\u017Fb"), "a|\u00DF|SS|\u1E9E|s\u017F|b|");
  EXPECT_EQ(with_bars("(?i)\u00DF", "ssSS\u1E9E\u017Fsb"), "ss|SS|\u1E9E|\u017Fs|b|");
  EXPECT_EQ(with_bars("(?i)fi+", "\uFB01fiIf\uFB01"), "\uFB01|fiI|f\uFB01|");
  EXPECT_EQ(with_bars("(?i)ffi", "\uFB03\uFB00if\uFB01x"), "\uFB03|\uFB00if\uFB01x|");
  EXPECT_EQ(with_bars("(?i)sss", "\u00DFs\u017F\u00DFx"), "\u00DFs|\u017F\u00DFx|");
  EXPECT_EQ(with_bars("(?i)[\u00DF]", "ss\u00DFx"), "ss|\u00DF|x|");
  EXPECT_EQ(with_bars("(?i)[^\u00DF]", "ss\u00DF"), "s|s|\u00DF|");
  EXPECT_EQ(with_bars(R"((?i)[\p{Ll}&&[^f]])", "fiss1"), "fi|s|s|1|");
  EXPECT_EQ(with_bars(R"((?i)[\p{L}]{,2} )", "xss "), "xss |");
  EXPECT_EQ(with_bars(R"((?i)[\w]1)", "ss1"), "ss1|");
  EXPECT_EQ(with_bars("(?i)(?<=ss)a", "ssa\u00DFa"), "ss|a|\u00DFa|");
  EXPECT_EQ(with_bars(R"((?i)\x{df})", "ss\u00DFx"), "ss|\u00DF|x|");
}

TEST(Quantifiers, StandAfterEachOtherAndWhereSpacesDoNotCountAfterThem) {
  EXPECT_EQ(with_bars("a{1,2}{2}", "aaaaaaa"), "aaaa|aaa|");
  EXPECT_EQ(with_bars("a?*b", "aaab"), "aaab|");
  EXPECT_EQ(with_bars("(?x:a* ?)b", "aaab"), "aaab|");
  EXPECT_EQ(with_bars("(?x:a{2,} {2})", "aaaaaaa"), "aaaaaaa|");
  EXPECT_EQ(with_bars("a{2}?", "aaab"), "aa|a||b||");  // Two or none.
  EXPECT_EQ(with_bars("a{2}+?", "aaab"), "aa|ab|");
  EXPECT_EQ(with_bars("(?i)(?x:s s)", "\u00DFx"), "\u00DF|x|");
  EXPECT_EQ(with_bars("(?i)(?x:st ?+)", "sts"), "st|s|");  // Not of both letters.
  EXPECT_FALSE(compile_regex("(?:*)").ok());
}

TEST(Caseless, ClassesOfEverythingAreSeveralCharactersToo) {
  EXPECT_EQ(with_bars(R"((?i)[\P{L}\p{L}]{1,3}.{1,2}?e)", "a1st\r\nxe"), "a1|st\r\nxe|");
}

TEST(Caseless, WhatIsLookedBackAtMayBeSeveralCharacters) {
  EXPECT_EQ(with_bars(R"((?i)(?<=[\x{DF}])a)", "ssa\u00DFaba"), "ss|a|\u00DF|a|ba|");
  EXPECT_EQ(with_bars(R"((?i)(?<![\x{DF}])a)", "ssa\u00DFaba"), "ssa\u00DFab|a|");
  EXPECT_EQ(with_bars(R"((?i)(?<=x|[\x{DF}])a)", "ssaxaba"), "ss|a|x|a|ba|");
  // Which PCRE2 cannot: said, and not answered otherwise.
  EXPECT_FALSE(compile_regex(R"((?i)(?<=x[\x{DF}])a)").ok());
  EXPECT_FALSE(compile_regex(R"((?i)(?<=[\x{DF}]{2})a)").ok());
  EXPECT_FALSE(compile_regex(R"((?i)(?<=(?:[\x{DF}]))a)").ok());
}

TEST(Lines, EndsOfAnyKindAreGivenBackByWhatStandsBeforeThem) {
  EXPECT_EQ(with_bars(R"(.+?\R+?)", "ea1\u2028fi"), "ea1\u2028|fi|");
  EXPECT_EQ(with_bars(R"(\R{1,2}?.+[^k]{2})", "SS\r\n\r\nSS"), "SS|\r\n\r\nS|S|");
  EXPECT_EQ(with_bars(R"(\R)", "a\r\n\r\u0085"), "a|\r\n|\r|\u0085|");
}

// A build with another PCRE2 asks, and this test then says nothing.
TEST(Categories, OfTheTableAreThoseThatPcre2Answers) {
  const std::vector<uint8_t> asked = ask_pcre2_categories();
  const std::vector<uint8_t>& known = pcre2_categories();
  ASSERT_EQ(known.size(), asked.size());
  for (size_t code = 0; code < asked.size(); ++code) ASSERT_EQ(known[code], asked[code]) << code;
}

TEST(Properties, HaveTheirLongNamesAndNoValues) {
  EXPECT_TRUE(matches("\\p{Combining_Mark}", "\xCC\x81"));
  EXPECT_FALSE(matches("\\p{Combining_Mark}", "a"));
  EXPECT_TRUE(matches("\\p{InCB}", "\xE0\xA5\x8D"));
  EXPECT_TRUE(matches("\\p{Other_Alphabetic}", "\xCD\x85"));
  EXPECT_FALSE(matches("\\p{Other_Alphabetic}", "a"));
  EXPECT_TRUE(matches("\\p{Other_Math}", "^"));
  EXPECT_FALSE(matches("\\p{Other_Math}", "+"));
  EXPECT_TRUE(matches("\\p{Newline}", "\n"));
  EXPECT_TRUE(matches("\\p{Gara}", "\xF0\x90\xB5\x80"));
  for (const std::string_view refused : {"\\p{Age=3.2}", "\\p{InCB=Consonant}", "\\p{sc=Greek}"}) {
    const auto answer = compile_regex(refused);
    ASSERT_FALSE(answer.ok()) << refused;
    const std::string name(refused.substr(3, refused.size() - 4));
    EXPECT_NE(answer.error().message.find(name), std::string::npos) << answer.error().message;
  }
}

TEST(Blocks, AreNamedAsUnicodeNamesThem) {
  EXPECT_EQ(with_bars(R"(\p{InCyrillic})", "a\u0436b"), "a|\u0436|b|");
  EXPECT_EQ(with_bars(R"(\P{In_Basic-Latin}+)", "a\u0436\u00E9b"), "a|\u0436\u00E9|b|");
  EXPECT_EQ(with_bars(R"([^\p{In Hiragana}]+)", "a\u3042b"), "a|\u3042|b|");
  EXPECT_EQ(with_bars(R"(\p{In_No_Block})", "a\u2FE0b"), "a|\u2FE0|b|");
  EXPECT_FALSE(compile_regex(R"(\p{InGreek})").ok());  // It is "Greek and Coptic".
}

TEST(Codes, AreWrittenAsNumbers) {
  EXPECT_EQ(with_bars(R"(\x{e9})", "a\u00E9b"), "a|\u00E9|b|");
  EXPECT_EQ(with_bars(R"(\u00e9{2})", "a\u00E9\u00E9b"), "a|\u00E9\u00E9|b|");
  EXPECT_EQ(with_bars(R"(\x41)", "aAb"), "a|A|b|");
}

TEST(Graphemes, EndWhereTheReferenceHasBoundaries) {
  const auto with_cuts = [](std::string_view pattern, std::string_view text) {
    const auto found = compile_regex(pattern).value()->find(text);
    std::string out;
    for (const Match& match : found.value())
      out += match.delimiter && match.begin == match.end
                 ? std::string("|")
                 : std::string(text.substr(match.begin, match.end - match.begin));
    return out;
  };
  EXPECT_EQ(with_cuts(R"(\y)", "e\u0301a\r\n"), "|e\u0301|a|\r\n|");
  EXPECT_EQ(with_cuts(R"(\Ya)", "a\u0301a"), "a\u0301a");
  EXPECT_EQ(with_cuts(R"(\Y)", "a\u0301b"), "a|\u0301b");
  EXPECT_EQ(with_cuts(R"(\y)", "\U0001F1E9\U0001F1EA\U0001F1E9\U0001F469\u200D\U0001F4BB"),
            "|\U0001F1E9\U0001F1EA|\U0001F1E9|\U0001F469\u200D\U0001F4BB|");
}

TEST(AtomicGroups, AreFoundWhereTheyBeginLazily) {
  EXPECT_EQ(with_bars(R"((?>.+?)a)", "  a1"), " | a|1|");
  EXPECT_EQ(with_bars(R"((?>.+?)\w++)", "  a1"), " | a1|");
}

TEST(PossessiveGroups, ThatAreNothingLetWhatIsBeforeGiveBack) {
  EXPECT_EQ(with_bars(R"([0-9a-f]*(?:x)?+[0-9])", "fa1z"), "fa1|z|");
  EXPECT_EQ(with_bars(R"([0-9a-f]*(?:x)*+[0-9])", "fa1z"), "fa1|z|");
}

TEST(Scripts, StandInClassesLikeAnyOtherSet) {
  constexpr std::string_view text = "a\u4E00\u4E8C\u03B1\u03B2\U0002ED7D\u0301";
  EXPECT_EQ(with_bars(R"(\p{Han}+)", text), "a|\u4E00\u4E8C|\u03B1\u03B2|\U0002ED7D|\u0301|");
  EXPECT_EQ(with_bars(R"([\p{L}\p{M}&&[^\p{Han}]]+)", text),
            "a|\u4E00\u4E8C|\u03B1\u03B2|\U0002ED7D|\u0301|");
  EXPECT_EQ(with_bars(R"([^\p{Greek}\p{Han}]+)", text), "a|\u4E00\u4E8C\u03B1\u03B2\U0002ED7D|\u0301|");
  EXPECT_EQ(with_bars(R"(\P{Han}+)", text), "a|\u4E00\u4E8C|\u03B1\u03B2|\U0002ED7D|\u0301|");
  EXPECT_EQ(with_bars(R"(\p{Ideographic})", "a\u4E00"), "a|\u4E00|");
  EXPECT_FALSE(compile_regex(R"(\p{Klingonese})").ok());
}

// Of Unicode 16, as the reference library 0.23.3 answers, whatever PCRE2 knows.
TEST(Scripts, HaveWhatLaterVersionsOfUnicodeAdded) {
  EXPECT_TRUE(matches(R"(\p{Cyrillic})", "\U0001E030"));
  EXPECT_TRUE(matches(R"(\p{Cyrl})", "\u1C89"));
  EXPECT_TRUE(matches(R"(\p{Latin})", "\uA7DA"));
  EXPECT_TRUE(matches(R"(\p{Han})", "\U00031350"));
  EXPECT_TRUE(matches(R"(\p{Garay})", "\U00010D40"));
  EXPECT_TRUE(matches(R"(\p{Nag_Mundari})", "\U0001E4D0"));
  EXPECT_FALSE(matches(R"(\p{Unknown})", "\u1C89"));
  EXPECT_TRUE(matches(R"(\p{ID_Start})", "\u1C89"));
  EXPECT_TRUE(matches(R"(\p{id start})", "a"));
  EXPECT_FALSE(matches(R"(\p{Latin})", "\u1C89"));
}

// But for consonants that a linker joins.
TEST(Graphemes, AreThoseOfTheTable) {
  constexpr unsigned seed = 3;
  std::mt19937 random(seed);
  constexpr char32_t kinds[] = {'\r',    '\n',   0x200B, 0x301,  0x200D, 0x1F1E9, 0x600, 0x903,
                                0x1100,  0x1161, 0x11A8, 0xAC00, 0xAC01, 0x1F600, 'a',   0x915,
                                0x1F3FD, 0xFE0F, 0x2764, 0x1,    0x85,   0xE0067, 0xE33, ' '};
  const auto regex = compile_regex(R"(\X)");
  ASSERT_TRUE(regex.ok());
  for (int i = 0; i < 4000; ++i) {
    std::string text;
    for (size_t count = 1 + random() % 8; count > 0; --count)
      append_utf8(text, kinds[random() % std::size(kinds)]);
    const auto found = regex.value()->find(text);
    ASSERT_TRUE(found.ok());
    size_t at = 0;
    for (const Match& match : found.value()) {
      ASSERT_EQ(match.begin, at);
      at = grapheme_end(text, at);
      ASSERT_EQ(match.end, at) << "seed " << seed << " " << testing::PrintToString(text);
    }
    ASSERT_EQ(at, text.size());
  }
}

}  // namespace
}  // namespace holdfast::token
