#include "token/normalized_text.h"

#include <algorithm>
#include <optional>

#include "token/byte_level.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

template <class T>
auto at(T& items, size_t index) {
  return items.begin() + static_cast<std::ptrdiff_t>(index);
}

struct Decomposed {
  int order;
  Change change;
};

std::vector<Decomposed> decomposed(const std::vector<char32_t>& codes, Decomposition kind) {
  std::vector<Decomposed> parts;
  parts.reserve(codes.size());
  std::vector<char32_t> pieces;
  for (const char32_t code : codes) {
    pieces.clear();
    append_decomposed(pieces, code, kind);
    for (size_t i = 0; i < pieces.size(); ++i)
      parts.push_back({combining_class(pieces[i]), {pieces[i], i == 0 ? 0 : 1}});
  }
  // Runs of marks are put into canonical order; what they changed travels with them, as in the reference.
  for (size_t from = 0; from < parts.size();) {
    size_t end = from;
    while (end < parts.size() && parts[end].order != 0) ++end;
    std::stable_sort(at(parts, from), at(parts, end), [](const Decomposed& left, const Decomposed& right) {
      return left.order < right.order;
    });
    from = std::max(end, from + 1);
  }
  return parts;
}

// As the reference composes: a mark is blocked by one of the same or a higher class before it.
std::vector<Change> composed(const std::vector<Decomposed>& parts) {
  std::vector<Change> out, waiting;
  std::optional<Change> starter;
  std::optional<int> last_order;
  const auto flush = [&](const Change& next) {
    out.push_back(*starter);
    out.insert(out.end(), waiting.begin(), waiting.end());
    waiting.clear();
    last_order.reset();
    starter = next;
  };
  for (const auto& [order, change] : parts) {
    if (!starter) {
      if (order != 0)
        out.push_back(change);
      else
        starter = change;
      continue;
    }
    const bool blocked = last_order && *last_order >= order;
    const char32_t both = blocked ? 0 : compose(starter->code, change.code);
    if (both != 0) {
      starter = Change{both, starter->steps + change.steps - 1};
    } else if (order == 0) {
      flush(change);
    } else {
      waiting.push_back(change);
      last_order = order;
    }
  }
  if (starter) out.push_back(*starter);
  out.insert(out.end(), waiting.begin(), waiting.end());
  return out;
}

}  // namespace

NormalizedText::NormalizedText(std::string_view input)
    : text_(input), origins_(input.size()), is_of_nothing_(input.empty()) {
  for_each_code_point(input, [&](char32_t, size_t from, size_t bytes) {
    const Span span{static_cast<uint32_t>(from), static_cast<uint32_t>(from + bytes)};
    std::fill_n(at(origins_, from), bytes, span);
  });
}

Span NormalizedText::origin(size_t begin, size_t end) const {
  if (begin == end) {
    const auto both = static_cast<uint32_t>(input_begin_ + begin);
    return {both, both};
  }
  if (begin > end || end > origins_.size()) return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  return {origins_[begin].begin, origins_[end - 1].end};
}

NormalizedText NormalizedText::slice(size_t begin, size_t end) const {
  NormalizedText part;
  part.text_ = text_.substr(begin, end - begin);
  part.origins_.assign(at(origins_, begin), at(origins_, end));
  part.input_begin_ =
      part.origins_.empty() ? input_begin_ + static_cast<uint32_t>(begin) : part.origins_.front().begin;
  part.is_of_nothing_ = part.origins_.empty() || part.origins_.front().begin == part.origins_.back().end;
  return part;
}

std::vector<char32_t> NormalizedText::codes() const {
  std::vector<char32_t> out;
  out.reserve(text_.size());
  for_each_code_point(text_, [&](char32_t code, size_t, size_t) { out.push_back(code); });
  return out;
}

void NormalizedText::transform(const std::vector<Change>& changes, size_t dropped) {
  // What was inserted before the first byte that has an origin is not part of what is replaced. Of a text
  // that nothing of the input is in no byte is: what comes is put before it, as in the reference.
  size_t from = 0;
  while (!is_of_nothing_ && from < origins_.size() && origins_[from].begin == origins_[from].end) ++from;
  if (origins_.empty()) return;
  std::string text = text_.substr(0, from);
  std::vector<Span> origins(origins_.begin(), at(origins_, from));
  text.reserve(text_.size());
  origins.reserve(text_.size());
  size_t next = from;  // Byte of the old text.
  const size_t end = is_of_nothing_ ? 0 : text_.size();
  const auto skip = [&](size_t count) {
    for (; count > 0 && next < end; --count) next += code_point_at(text_, next).bytes;
  };
  skip(dropped);
  for (const Change& change : changes) {
    Span origin{input_begin_, input_begin_};
    if (change.steps > 0) {
      if (next > 0) origin = origins_[next - 1];
    } else if (next < text_.size()) {
      origin = origins_[next];
    } else {
      lost_ = true;
      return;
    }
    if (change.steps <= 0) skip(1 + static_cast<size_t>(-change.steps));
    append_utf8(text, change.code);
    origins.resize(text.size(), origin);
  }
  text.append(text_, end);
  origins.insert(origins.end(), at(origins_, end), origins_.end());
  text_ = std::move(text);
  origins_ = std::move(origins);
}

void NormalizedText::prepend(std::string_view more) {
  if (text_.empty()) return;
  const Span first = origins_.front();
  // Nothing prepended still takes the origin from the first code point, as in the reference.
  if (more.empty())
    std::fill_n(origins_.begin(), code_point_at(text_, 0).bytes, Span{input_begin_, input_begin_});
  text_.insert(0, more);
  origins_.insert(origins_.begin(), more.size(), first);
}

void NormalizedText::replace(const std::vector<Match>& matches, std::string_view content) {
  if (std::none_of(matches.begin(), matches.end(), [](const Match& match) { return match.delimiter; }))
    return;
  std::string text;
  std::vector<Span> origins;
  text.reserve(text_.size());
  origins.reserve(text_.size());
  for (const Match& match : matches) {
    if (!match.delimiter) {
      text.append(text_, match.begin, match.end - match.begin);
      origins.insert(origins.end(), at(origins_, match.begin), at(origins_, match.end));
      continue;
    }
    text += content;
    origins.resize(text.size(), match.end > 0 ? origins_[match.end - 1] : Span{input_begin_, input_begin_});
  }
  text_ = std::move(text);
  origins_ = std::move(origins);
}

void NormalizedText::decompose(Decomposition kind) {
  std::vector<Change> changes;
  for (const Decomposed& part : decomposed(codes(), kind)) changes.push_back(part.change);
  transform(changes, 0);
}

void NormalizedText::compose(Decomposition kind) { transform(composed(decomposed(codes(), kind)), 0); }

void NormalizedText::lower() {
  std::vector<Change> changes;
  changes.reserve(text_.size());
  for (const char32_t code : codes()) {
    const Lowered lowered = to_lower(code);
    for (size_t i = 0; i < lowered.count; ++i) changes.push_back({lowered.codes[i], i == 0 ? 0 : 1});
  }
  transform(changes, 0);
}

void NormalizedText::to_byte_level() {
  std::vector<Change> changes;
  changes.reserve(text_.size());
  for (const char byte : text_)
    changes.push_back({byte_letters[static_cast<unsigned char>(byte)], starts_code_point(byte) ? 0 : 1});
  transform(changes, 0);
}

}  // namespace holdfast::token
