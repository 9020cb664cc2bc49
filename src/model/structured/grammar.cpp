#include "model/structured/grammar.h"

#include <algorithm>
#include <array>

namespace holdfast::model::structured {
namespace {

constexpr char32_t last_character = 0x10FFFF;

// How many bytes a code point takes, and the last one that takes as many.
struct Width {
  size_t bytes;
  char32_t last;
};
constexpr std::array<Width, 4> widths = {{{1, 0x7F}, {2, 0x7FF}, {3, 0xFFFF}, {4, last_character}}};

std::array<uint8_t, 4> utf8(char32_t c, size_t bytes) {
  std::array<uint8_t, 4> out{};
  constexpr std::array<uint8_t, 5> lead = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = bytes; i-- > 1; c >>= 6) out[i] = static_cast<uint8_t>(0x80 | (c & 0x3F));
  out[0] = static_cast<uint8_t>(lead[bytes] | c);
  return out;
}

// Splits a range until its bytes vary independently: the classical cut at borders of the trailing bytes.
void split(char32_t from, char32_t to, std::vector<std::pair<char32_t, char32_t>>& out) {
  if (from > to) return;
  for (const Width& width : widths) {
    if (from <= width.last && to > width.last) {
      split(from, width.last, out);
      return split(width.last + 1, to, out);
    }
  }
  for (int shift = 6; shift <= 18; shift += 6) {
    const char32_t low = (char32_t{1} << shift) - 1;
    if (to <= 0x7F || (from & ~low) == (to & ~low)) continue;
    if ((from & low) != 0) {
      split(from, from | low, out);
      return split((from | low) + 1, to, out);
    }
    if ((to & low) != low) {
      split(from, (to & ~low) - 1, out);
      return split(to & ~low, to, out);
    }
  }
  out.emplace_back(from, to);
}

// Whether a rule can end without a byte, for all rules.
std::vector<bool> empties(const Grammar& grammar) {
  std::vector<bool> empty(grammar.rules.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t r = 0; r < grammar.rules.size(); ++r) {
      if (empty[r]) continue;
      const auto& choices = grammar.rules[r].choices;
      empty[r] = std::any_of(choices.begin(), choices.end(), [&](const Sequence& choice) {
        return std::all_of(choice.begin(), choice.end(),
                           [&](const Element& e) { return e.is_rule && empty[e.rule]; });
      });
      changed = changed || empty[r];
    }
  }
  return empty;
}

// Depth first without recursion of ours: a grammar may be deep.
bool left_recursive(const Grammar& grammar) {
  const auto empty = empties(grammar);
  std::vector<std::vector<RuleId>> first(grammar.rules.size());
  for (size_t r = 0; r < grammar.rules.size(); ++r)
    for (const Sequence& choice : grammar.rules[r].choices)
      for (const Element& element : choice) {
        if (!element.is_rule) break;
        first[r].push_back(element.rule);
        if (!empty[element.rule]) break;
      }
  enum class Mark : uint8_t { fresh, open, done };
  std::vector<Mark> marks(grammar.rules.size(), Mark::fresh);
  for (RuleId root = 0; root < grammar.rules.size(); ++root) {
    if (marks[root] != Mark::fresh) continue;
    std::vector<std::pair<RuleId, size_t>> path = {{root, 0}};
    marks[root] = Mark::open;
    while (!path.empty()) {
      auto& [rule, next] = path.back();
      if (next == first[rule].size()) {
        marks[rule] = Mark::done;
        path.pop_back();
        continue;
      }
      const RuleId child = first[rule][next++];
      if (marks[child] == Mark::open) return true;
      if (marks[child] == Mark::done) continue;
      marks[child] = Mark::open;
      path.emplace_back(child, 0);
    }
  }
  return false;
}

}  // namespace

std::vector<std::pair<char32_t, char32_t>> all_but(std::vector<std::pair<char32_t, char32_t>> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<std::pair<char32_t, char32_t>> out;
  char32_t next = 0;
  for (const auto& [from, to] : ranges) {
    if (from > next) out.emplace_back(next, from - 1);
    next = std::max<char32_t>(next, to + 1);
  }
  if (next <= last_character) out.emplace_back(next, last_character);
  return out;
}

bool GrammarBuilder::room(size_t elements) {
  elements_ += elements;
  too_large_ = too_large_ || elements_ > Grammar::elements_max;
  return !too_large_;
}

RuleId GrammarBuilder::reserve() {
  room(1);
  grammar_.rules.emplace_back();
  return static_cast<RuleId>(grammar_.rules.size() - 1);
}

void GrammarBuilder::define(RuleId rule, std::vector<Sequence> choices) {
  for (const Sequence& choice : choices)
    if (!room(choice.size() + 1)) return;
  grammar_.rules[rule].choices = std::move(choices);
}

Sequence GrammarBuilder::one_of(const ByteSet& bytes) {
  if (!room(1)) return {};
  const auto known = std::find(grammar_.sets.begin(), grammar_.sets.end(), bytes);
  const auto index = static_cast<uint32_t>(known - grammar_.sets.begin());
  if (known == grammar_.sets.end()) grammar_.sets.push_back(bytes);
  return {Element{.is_rule = false, .rule = 0, .set = index}};
}

Sequence GrammarBuilder::literal(std::string_view bytes) {
  Sequence out;
  for (const char byte : bytes) {
    const Sequence one = one_of(ByteSet().set(static_cast<uint8_t>(byte)));
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

Sequence GrammarBuilder::character(std::vector<std::pair<char32_t, char32_t>> ranges) {
  ByteSet single;
  std::vector<Sequence> choices;
  std::vector<std::pair<char32_t, char32_t>> parts;
  for (auto [from, to] : ranges) {
    to = std::min(to, last_character);
    split(from, std::min<char32_t>(to, 0xD7FF), parts);
    split(std::max<char32_t>(from, 0xE000), to, parts);
  }
  for (const auto& [from, to] : parts) {
    const size_t bytes =
        std::find_if(widths.begin(), widths.end(), [&](const Width& w) { return to <= w.last; })->bytes;
    const auto low = utf8(from, bytes), high = utf8(to, bytes);
    Sequence sequence;
    for (size_t i = 0; i < bytes; ++i) {
      ByteSet set;
      for (unsigned byte = low[i]; byte <= high[i]; ++byte) set.set(byte);
      if (bytes == 1)
        single |= set;
      else
        sequence = joined({sequence, one_of(set)});
    }
    if (bytes > 1) choices.push_back(std::move(sequence));
  }
  if (single.any()) choices.push_back(one_of(single));
  return choice(std::move(choices));
}

Sequence GrammarBuilder::choice(std::vector<Sequence> choices) {
  if (choices.size() == 1) return choices[0];
  const RuleId rule = reserve();
  define(rule, std::move(choices));
  return named(rule);
}

Sequence GrammarBuilder::joined(std::vector<Sequence> parts) {
  Sequence out;
  for (const Sequence& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// The required ones side by side; then a rule that may end at every step. Right recursion keeps stacks flat.
Sequence GrammarBuilder::repeat(const Sequence& what, size_t least, size_t most, const Sequence& separator) {
  if (most == 0) return {};
  const Sequence next = joined({separator, what});
  Sequence rest;
  if (most == repeat_unbounded) {
    const RuleId loop = reserve();
    define(loop, {joined({next, named(loop)}), {}});
    rest = named(loop);
  } else {
    for (size_t i = std::max<size_t>(least, 1); i < most && room(next.size() + 2); ++i)
      rest = choice({joined({next, rest}), {}});
  }
  Sequence out;
  for (size_t i = 0; i < std::max<size_t>(least, 1) && room(next.size()); ++i)
    out = joined({out, i == 0 ? what : next});
  out = joined({out, rest});
  return least == 0 ? choice({out, {}}) : out;
}

Result<Grammar> GrammarBuilder::finish(RuleId start) && {
  if (too_large_)
    return fail(Reason::bad_request, "the structure asked for unfolds to more than " +
                                         std::to_string(Grammar::elements_max) + " parts");
  if (left_recursive(grammar_))
    return fail(Reason::bad_request, "a rule of the grammar leads back to itself without taking a character");
  grammar_.start = start;
  return std::move(grammar_);
}

}  // namespace holdfast::model::structured
