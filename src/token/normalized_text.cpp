#include "token/normalized_text.h"

#include <algorithm>

#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

NormalizedText::NormalizedText(std::string_view input) : text_(input), origins_(input.size()) {
  for_each_code_point(input, [&](char32_t, size_t at, size_t bytes) {
    const Span span{static_cast<uint32_t>(at), static_cast<uint32_t>(at + bytes)};
    std::fill_n(origins_.begin() + static_cast<std::ptrdiff_t>(at), bytes, span);
  });
}

NormalizedText NormalizedText::slice(size_t begin, size_t end) const {
  NormalizedText part;
  part.text_ = text_.substr(begin, end - begin);
  part.origins_.assign(origins_.begin() + static_cast<std::ptrdiff_t>(begin),
                       origins_.begin() + static_cast<std::ptrdiff_t>(end));
  return part;
}

std::vector<char32_t> NormalizedText::codes() const {
  std::vector<char32_t> out;
  out.reserve(text_.size());
  for_each_code_point(text_, [&](char32_t code, size_t, size_t) { out.push_back(code); });
  return out;
}

void NormalizedText::transform(const std::vector<Change>& changes, size_t dropped) {
  std::string text;
  std::vector<Span> origins;
  text.reserve(text_.size());
  origins.reserve(text_.size());
  size_t at = 0;  // Byte of the old text.
  const auto skip = [&](size_t count) {
    for (; count > 0 && at < text_.size(); --count) at += code_point_at(text_, at).bytes;
  };
  skip(dropped);
  for (const Change& change : changes) {
    Span origin;
    if (change.steps > 0) {
      if (at > 0) origin = origins_[at - 1];
    } else if (at < text_.size()) {
      origin = origins_[at];
    }
    if (change.steps <= 0) skip(1 + static_cast<size_t>(-change.steps));
    append_utf8(text, change.code);
    origins.resize(text.size(), origin);
  }
  text_ = std::move(text);
  origins_ = std::move(origins);
}

void NormalizedText::decompose() {
  struct Part {
    int order;
    Change change;
  };
  std::vector<Part> parts;
  std::vector<char32_t> pieces;
  bool changed = false;
  for (const char32_t code : codes()) {
    pieces.clear();
    append_canonical(pieces, code);
    changed |= pieces.size() != 1 || pieces[0] != code || code >= 0x300;
    for (size_t i = 0; i < pieces.size(); ++i)
      parts.push_back({combining_class(pieces[i]), {pieces[i], i == 0 ? 0 : 1}});
  }
  if (!changed) return;
  // Runs of marks are put into canonical order; what they changed travels with them, as in the reference.
  for (size_t at = 0; at < parts.size();) {
    size_t end = at;
    while (end < parts.size() && parts[end].order != 0) ++end;
    const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(at);
    std::stable_sort(begin, parts.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Part& left, const Part& right) { return left.order < right.order; });
    at = std::max(end, at + 1);
  }
  std::vector<Change> changes;
  changes.reserve(parts.size());
  for (const Part& part : parts) changes.push_back(part.change);
  transform(changes, 0);
}

void NormalizedText::lower() {
  std::vector<Change> changes;
  changes.reserve(text_.size());
  for (const char32_t code : codes()) {
    const Lowered lowered = to_lower(code);
    for (size_t i = 0; i < lowered.count; ++i) changes.push_back({lowered.codes[i], i == 0 ? 0 : 1});
  }
  transform(changes, 0);
}

}  // namespace holdfast::token
