#pragma once

#include <string_view>

#include "model/structured/grammar.h"

namespace holdfast::model::structured {

// How much of a text a regular expression speaks of where it has no anchors.
enum class Anchoring : uint8_t { whole, anywhere };  // anywhere: JSON schema's `pattern`.

// Adds a regular expression to a grammar and gives the sequence that matches it. Known: literals, . [] [^]
// with ranges, \d \w \s \D \W \S \n \r \t \f \v \0 \xHH \uHHHH \u{H…}, escaped punctuation, ( ) (?: )
// (?<name> ),
// |, * + ? {m} {m,} {m,n} and their lazy forms, ^ at the beginning and $ at the end. \d \w \s are ASCII.
// bad_request, with the place, for what is not known (look-around, back references, \b, flags, possessive
// forms) and for what does not parse. `any`: what `.` stands for.
struct RegexOptions {
  Anchoring anchoring = Anchoring::whole;
  std::vector<std::pair<char32_t, char32_t>> any = {
      {0, 0x9}, {0xB, 0xC}, {0xE, 0x2027}, {0x202A, 0x10FFFF}};  // ECMA-262: no line ends.
  // Spells one character class; the default is UTF-8 as it is. A JSON string needs its escapes.
  using Spell = Sequence (*)(GrammarBuilder&, std::vector<std::pair<char32_t, char32_t>>);
  Spell spell = nullptr;
};
Result<Sequence> add_regex(GrammarBuilder& builder, std::string_view pattern,
                           const RegexOptions& options = {});

Result<Grammar> grammar_of_regex(std::string_view pattern);

}  // namespace holdfast::model::structured
