#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

// Texts that generation may be bound to: a context-free grammar over bytes. Made from a JSON schema, a
// regular expression or a grammar text (their own headers), followed by Matcher.
namespace holdfast::model::structured {

using RuleId = uint32_t;
using ByteSet = std::bitset<256>;

// One byte of a set, or another rule.
struct Element {
  bool is_rule = false;
  RuleId rule = 0;
  uint32_t set = 0;  // Of Grammar::sets.
};
using Sequence = std::vector<Element>;

struct Rule {
  std::vector<Sequence> choices;  // None: nothing matches.
};

struct Grammar {
  static constexpr size_t elements_max = 200'000;  // Over all rules: what repetition may unfold to.

  std::vector<Rule> rules;
  std::vector<ByteSet> sets;
  RuleId start = 0;
};

// Puts a grammar together. Pieces are sequences; what needs choice or recursion becomes a rule of its own.
// After too many elements everything is empty and finish() says so.
class GrammarBuilder {
 public:
  RuleId reserve();  // A rule to be defined later, so that rules may name it before.
  void define(RuleId rule, std::vector<Sequence> choices);

  Sequence literal(std::string_view bytes);
  Sequence one_of(const ByteSet& bytes);
  // One character in UTF-8 from the ranges of code points (both ends included; surrogates are left out).
  Sequence character(std::vector<std::pair<char32_t, char32_t>> ranges);
  Sequence choice(std::vector<Sequence> choices);
  // `most` of repeat_unbounded: no end. `separator` between two.
  static constexpr size_t repeat_unbounded = SIZE_MAX;
  Sequence repeat(const Sequence& what, size_t least, size_t most, const Sequence& separator = {});
  Sequence named(RuleId rule) const { return {Element{.is_rule = true, .rule = rule}}; }
  static Sequence joined(std::vector<Sequence> parts);

  // bad_request: too large, or left recursion (a rule that can come back to itself without a byte), naming
  // nothing but the fact.
  Result<Grammar> finish(RuleId start) &&;

 private:
  bool room(size_t elements);

  Grammar grammar_;
  size_t elements_ = 0;
  bool too_large_ = false;
};

// Ranges that hold what these do not, over all of Unicode.
std::vector<std::pair<char32_t, char32_t>> all_but(std::vector<std::pair<char32_t, char32_t>> ranges);

}  // namespace holdfast::model::structured
