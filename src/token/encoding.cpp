#include "token/encoding.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::token {
namespace {

template <class T>
std::vector<T> part(const std::vector<T>& all, size_t begin, size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

template <class T>
void extend(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

template <class T>
void fill(std::vector<T>& all, size_t count, const T& value, Side side) {
  all.insert(side == Side::left ? all.begin() : all.end(), count, value);
}

std::vector<std::pair<size_t, size_t>> cut(size_t size, size_t rows_max, size_t step, Side cut_from) {
  std::vector<std::pair<size_t, size_t>> parts;
  if (cut_from == Side::right) {
    for (size_t begin = 0; begin < size; begin += step) {
      parts.emplace_back(begin, std::min(begin + rows_max, size));
      if (parts.back().second == size) break;
    }
    return parts;
  }
  for (size_t end = size; end > 0; end -= std::min(step, end)) {
    parts.emplace_back(end - std::min(rows_max, end), end);
    if (parts.back().first == 0) break;
  }
  return parts;
}

}  // namespace

void Encoding::push(uint32_t id, std::string token, Span offset, int32_t word, uint32_t type_id,
                    uint8_t is_special) {
  ids.push_back(id);
  tokens.push_back(std::move(token));
  offsets.push_back(offset);
  words.push_back(word);
  type_ids.push_back(type_id);
  mask.push_back(1);
  special.push_back(is_special);
}

std::vector<int> Encoding::sequences() const {
  std::vector<int> out(size(), -1);
  const int count = ranges.empty() ? 1 : static_cast<int>(ranges.size());
  for (int sequence = 0; sequence < count; ++sequence) {
    const auto found = ranges.find(sequence);  // One that has none is everywhere, as in the reference.
    const auto [begin, end] = found == ranges.end() ? std::pair<size_t, size_t>{0, size()} : found->second;
    for (size_t row = begin; row < std::min(end, size()); ++row) out[row] = sequence;
  }
  return out;
}

void Encoding::append(const Encoding& more) {
  std::vector<Encoding> combined;
  const auto combine = [&combined](const Encoding& left, const Encoding& right) {
    Encoding both = left.rows(0, left.size());
    both.ranges = left.ranges;
    both.append_rows(right);
    combined.push_back(std::move(both));
  };
  for (const Encoding& ours : overflow) {
    combine(ours, more);
    for (const Encoding& theirs : more.overflow) combine(ours, theirs);
  }
  for (const Encoding& theirs : more.overflow) combine(*this, theirs);
  append_rows(more);
  overflow = std::move(combined);
}

void Encoding::append_rows(const Encoding& more) {
  for (const auto& [sequence, range] : more.ranges)
    ranges[sequence] = {size() + range.first, size() + range.second};
  extend(ids, more.ids);
  extend(type_ids, more.type_ids);
  extend(tokens, more.tokens);
  extend(offsets, more.offsets);
  extend(words, more.words);
  extend(mask, more.mask);
  extend(special, more.special);
}

Encoding Encoding::rows(size_t begin, size_t end) const {
  Encoding out;
  out.ids = part(ids, begin, end);
  out.type_ids = part(type_ids, begin, end);
  out.tokens = part(tokens, begin, end);
  out.offsets = part(offsets, begin, end);
  out.words = part(words, begin, end);
  out.mask = part(mask, begin, end);
  out.special = part(special, begin, end);
  return out;
}

Status Encoding::truncate(size_t rows_max, size_t stride, Side cut_from) {
  if (rows_max >= size()) return Done{};
  if (rows_max == 0) {
    Encoding empty;
    empty.overflow.push_back(std::move(*this));
    *this = std::move(empty);
    return Done{};
  }
  if (stride >= rows_max)
    return fail(Reason::tokenization_failed,
                fmt::format("truncation: a stride of {} does not fit a length of {}", stride, rows_max));
  const auto parts = cut(size(), rows_max, rows_max - stride, cut_from);
  Encoding first = rows(parts[0].first, parts[0].second);
  for (size_t i = 1; i < parts.size(); ++i) first.overflow.push_back(rows(parts[i].first, parts[i].second));
  *this = std::move(first);
  return Done{};
}

void Encoding::pad(size_t wanted, const Padding& padding) {
  for (Encoding& more : overflow) more.pad(wanted, padding);
  if (size() >= wanted) return;
  const size_t count = wanted - size();
  const Side side = padding.side;
  fill(ids, count, padding.id, side);
  fill(type_ids, count, padding.type_id, side);
  fill(tokens, count, padding.token, side);
  fill(offsets, count, Span{}, side);
  fill(words, count, no_word, side);
  fill(mask, count, uint8_t{0}, side);
  fill(special, count, uint8_t{1}, side);
  if (side == Side::left)
    for (auto& [sequence, range] : ranges) range = {range.first + count, range.second + count};
}

void pad_batch(std::vector<Encoding>& batch, const Padding& padding) {
  size_t rows = padding.length.value_or(0);
  if (!padding.length)
    for (const Encoding& encoding : batch) rows = std::max(rows, encoding.size());
  if (const size_t multiple = padding.multiple_of.value_or(0); multiple > 0)
    rows = (rows + multiple - 1) / multiple * multiple;
  for (Encoding& encoding : batch) encoding.pad(rows, padding);
}

}  // namespace holdfast::token
