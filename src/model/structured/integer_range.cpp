#include "model/structured/integer_range.h"

#include <algorithm>
#include <string>

namespace holdfast::model::structured {
namespace {

constexpr int64_t edge = 999'999'999'999'999'999;

Sequence digit(GrammarBuilder& builder, char from, char to) {
  ByteSet set;
  for (char c = from; c <= to; ++c) set.set(static_cast<uint8_t>(c));
  return builder.one_of(set);
}

Sequence any_digits(GrammarBuilder& builder, size_t count) {
  return builder.repeat(digit(builder, '0', '9'), count, count);
}

// Texts of the same number of digits, in between; leading zeros count as digits here.
Sequence between(GrammarBuilder& builder, std::string_view low, std::string_view high) {
  if (low.empty()) return {};
  const size_t rest = low.size() - 1;
  if (low[0] == high[0])
    return GrammarBuilder::joined(
        {builder.literal(low.substr(0, 1)), between(builder, low.substr(1), high.substr(1))});
  std::vector<Sequence> choices;
  const std::string zeros(rest, '0'), nines(rest, '9');
  char from = low[0], to = high[0];
  if (low.substr(1) != zeros) {
    choices.push_back(
        GrammarBuilder::joined({builder.literal(low.substr(0, 1)), between(builder, low.substr(1), nines)}));
    ++from;
  }
  if (high.substr(1) != nines) {
    choices.push_back(GrammarBuilder::joined(
        {builder.literal(high.substr(0, 1)), between(builder, zeros, high.substr(1))}));
    --to;
  }
  if (from <= to)
    choices.push_back(GrammarBuilder::joined({digit(builder, from, to), any_digits(builder, rest)}));
  return builder.choice(std::move(choices));
}

// 0 <= low <= high.
std::vector<Sequence> magnitudes(GrammarBuilder& builder, int64_t low, int64_t high) {
  std::vector<Sequence> choices;
  const size_t longest = std::to_string(high).size();
  for (size_t length = std::to_string(low).size(); length <= longest; ++length) {
    const std::string first = length == 1 ? "0" : "1" + std::string(length - 1, '0');
    const std::string from = std::to_string(low).size() == length ? std::to_string(low) : first;
    const std::string to = longest == length ? std::to_string(high) : std::string(length, '9');
    choices.push_back(between(builder, from, to));
  }
  return choices;
}

}  // namespace

Sequence integer_range(GrammarBuilder& builder, std::optional<int64_t> least, std::optional<int64_t> most) {
  const int64_t low = std::max(least.value_or(-edge), -edge), high = std::min(most.value_or(edge), edge);
  std::vector<Sequence> choices;
  if (high >= 0 && low <= high) choices = magnitudes(builder, std::max<int64_t>(low, 0), high);
  if (low < 0 && low <= high) {
    const Sequence minus = builder.literal("-");
    const Sequence size = builder.choice(magnitudes(builder, std::max<int64_t>(-high, 1), -low));
    choices.push_back(GrammarBuilder::joined({minus, size}));
  }
  return builder.choice(std::move(choices));
}

}  // namespace holdfast::model::structured
