#include "token/regex/code_set.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>

#include "token/unicode/blocks.h"
#include "token/unicode/properties.h"
#include "token/unicode/tables.h"

namespace holdfast::token {
namespace {

// `end`: from there on the test fails.
template <class Test>
CodeSet make(Test test, char32_t end = 0x110000) {
  CodeSet out;
  for (char32_t code = 0; code < end; ++code)
    if (test(code)) out.set(code);
  return out;
}

// Of code points by their byte of code_properties: run by run, as a million of them take milliseconds.
template <class Test>
CodeSet of_properties(Test test) {
  CodeSet out;
  const std::span<const uint32_t> runs = tables::category_runs;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!test(static_cast<uint8_t>(runs[i]))) continue;
    const size_t end = i + 1 < runs.size() ? runs[i + 1] >> 8U : out.size();
    for (size_t code = runs[i] >> 8U; code < end; ++code) out[code] = true;
  }
  return out;
}

CodeSet of_categories(uint32_t mask) {
  return of_properties([mask](uint8_t byte) { return (mask >> (byte & category_bits) & 1U) != 0; });
}

CodeSet of_bits(uint8_t bits) {
  return of_properties([bits](uint8_t byte) { return (byte & bits) != 0; });
}

struct Named {
  std::string_view name, long_name;
  uint32_t categories;
};

constexpr uint32_t one(Category category) { return 1U << static_cast<unsigned>(category); }

constexpr Named names[] = {
    {"cn", "unassigned", one(Category::unassigned)},
    {"lu", "uppercaseletter", one(Category::uppercase_letter)},
    {"ll", "lowercaseletter", one(Category::lowercase_letter)},
    {"lt", "titlecaseletter", one(Category::titlecase_letter)},
    {"lm", "modifierletter", one(Category::modifier_letter)},
    {"lo", "otherletter", one(Category::other_letter)},
    {"mn", "nonspacingmark", one(Category::nonspacing_mark)},
    {"mc", "spacingmark", one(Category::spacing_mark)},
    {"me", "enclosingmark", one(Category::enclosing_mark)},
    {"nd", "decimalnumber", one(Category::decimal_number)},
    {"nl", "letternumber", one(Category::letter_number)},
    {"no", "othernumber", one(Category::other_number)},
    {"pc", "connectorpunctuation", one(Category::connector_punctuation)},
    {"pd", "dashpunctuation", one(Category::dash_punctuation)},
    {"ps", "openpunctuation", one(Category::open_punctuation)},
    {"pe", "closepunctuation", one(Category::close_punctuation)},
    {"pi", "initialpunctuation", one(Category::initial_punctuation)},
    {"pf", "finalpunctuation", one(Category::final_punctuation)},
    {"po", "otherpunctuation", one(Category::other_punctuation)},
    {"sm", "mathsymbol", one(Category::math_symbol)},
    {"sc", "currencysymbol", one(Category::currency_symbol)},
    {"sk", "modifiersymbol", one(Category::modifier_symbol)},
    {"so", "othersymbol", one(Category::other_symbol)},
    {"zs", "spaceseparator", one(Category::space_separator)},
    {"zl", "lineseparator", one(Category::line_separator)},
    {"zp", "paragraphseparator", one(Category::paragraph_separator)},
    {"cc", "control", one(Category::control)},
    {"cf", "format", one(Category::format)},
    {"co", "privateuse", one(Category::private_use)},
    {"l", "letter", letter_categories},
    {"lc", "casedletter", category_mask(Category::uppercase_letter, Category::titlecase_letter)},
    {"m", "mark", mark_categories},
    {"m", "combiningmark", mark_categories},
    {"n", "number", number_categories},
    {"p", "punctuation", punctuation_categories},
    {"s", "symbol", symbol_categories},
    {"z", "separator", category_mask(Category::space_separator, Category::paragraph_separator)},
    {"c", "other", category_mask(Category::control, Category::private_use) | one(Category::unassigned)},
};

constexpr uint32_t blanks_of_categories = one(Category::space_separator);
constexpr uint32_t not_graphic = one(Category::control) | one(Category::unassigned) |
                                 category_mask(Category::space_separator, Category::paragraph_separator);

// Alphabetic by a list of their own, not by their category.
CodeSet other_alphabetic() {
  return of_bits(alphabetic_bit) & ~of_categories(letter_categories | one(Category::letter_number));
}

CodeSet surrogates() {
  return make([](char32_t code) { return code >= 0xD800 && code < 0xE000; });
}

const std::pair<std::string_view, CodeSet (*)()> posix_names[] = {
    {"alpha", [] { return of_bits(alphabetic_bit); }},
    {"alphabetic", [] { return of_bits(alphabetic_bit); }},
    {"upper", [] { return of_bits(upper_bit); }},
    {"uppercase", [] { return of_bits(upper_bit); }},
    {"lower", [] { return of_bits(lower_bit); }},
    {"lowercase", [] { return of_bits(lower_bit); }},
    {"digit", [] { return digit_set(); }},
    {"alnum", [] { return of_bits(alphabetic_bit) | digit_set(); }},
    {"space", [] { return space_set(); }},
    {"whitespace", [] { return space_set(); }},
    {"xdigit", [] { return hex_set(); }},
    {"punct", [] { return of_categories(punctuation_categories | symbol_categories); }},
    {"posixpunct", [] { return of_categories(punctuation_categories | symbol_categories); }},
    {"newline", [] { return make([](char32_t code) { return code == '\n'; }); }},
    {"otheralphabetic", [] { return other_alphabetic(); }},
    {"oalpha", [] { return other_alphabetic(); }},
    {"cntrl", [] { return of_categories(one(Category::control)); }},
    {"blank",
     [] { return of_categories(blanks_of_categories) | make([](char32_t code) { return code == 9; }); }},
    {"graph", [] { return ~of_categories(not_graphic) & ~surrogates(); }},
    {"print",
     [] { return (~of_categories(not_graphic) & ~surrogates()) | of_categories(blanks_of_categories); }},
    {"word",
     [] { return make(is_word) & ~make([](char32_t code) { return code == 0x200C || code == 0x200D; }); }},
    {"ascii", [] { return make([](char32_t code) { return code < 0x80; }); }},
    {"any", [] { return ~CodeSet(); }},
    {"assigned", [] { return ~of_categories(one(Category::unassigned)); }},
};

}  // namespace

std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != ' ' && c != '-' && c != '_') out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

const CodeSet& digit_set() {
  static const CodeSet set = of_categories(one(Category::decimal_number));
  return set;
}

const CodeSet& space_set() {
  static const CodeSet set = make(is_white_space, 0x3001);
  return set;
}

const CodeSet& hex_set() {
  static const CodeSet set = make(
      [](char32_t code) {
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'F') || (code >= 'a' && code <= 'f');
      },
      0x80);
  return set;
}

const CodeSet& word_set() {
  // Latin-1 is special in Oniguruma: its superscripts and fractions are words.
  static const CodeSet set = make([](char32_t code) {
    if (code == 0x200C || code == 0x200D) return false;
    return is_word(code) || code == 0xB2 || code == 0xB3 || code == 0xB9 || (code >= 0xBC && code <= 0xBE);
  });
  return set;
}

Result<CodeSet> property_set(std::string_view given) {
  const std::string name = plain_name(given);
  for (const Named& named : names)
    if (name == named.name || name == named.long_name) return of_categories(named.categories);
  for (const auto& [posix, make_set] : posix_names)
    if (name == posix) return make_set();
  if (name == "innoblock") {
    CodeSet out;
    out.flip();
    for (const Block& block : blocks())
      for (char32_t code = block.first; code <= block.last; ++code) out.reset(code);
    return out;
  }
  for (const Block& block : blocks())
    if (name.starts_with("in") && name.substr(2) == block.name)
      return make([&](char32_t code) { return code >= block.first && code <= block.last; });
  if (name == "cs" || name == "surrogate") return surrogates();
  return fail(Reason::bad_request, "a regular expression names a property that is not known");
}

}  // namespace holdfast::token
