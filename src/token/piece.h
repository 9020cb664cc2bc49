#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "token/normalized_text.h"

namespace holdfast::token {

// One token of a piece: the range is of bytes of the piece's text.
struct Token {
  uint32_t id = 0;
  std::string text;
  Span range;
};

// A part of the input on its way to tokens. Pieces with tokens (added tokens, or a model's answer) are not
// split further. Pieces without text do not exist.
struct Piece {
  NormalizedText text;
  std::optional<std::vector<Token>> tokens;
};
using Pieces = std::vector<Piece>;

// What becomes of the delimiters a pre-tokenizer splits at.
enum class SplitBehavior : uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// Splits each piece without tokens at what `find` calls delimiters: find(text) -> std::vector<Match>, or a
// Result of it, whose error ends the splitting.
template <class Find>
Status split_pieces(Pieces& pieces, SplitBehavior behavior, Find find);

std::vector<Match> apply_behavior(const std::vector<Match>& matches, SplitBehavior behavior);

// Each code point that `is_delimiter` wants is a delimiter of its own.
template <class Test>
std::vector<Match> match_code_points(std::string_view text, Test is_delimiter);

}  // namespace holdfast::token

#include "token/unicode/utf8.h"

namespace holdfast::token {

template <class Find>
Status split_pieces(Pieces& pieces, SplitBehavior behavior, Find find) {
  Pieces out;
  out.reserve(pieces.size());
  for (Piece& piece : pieces) {
    if (piece.tokens) {
      out.push_back(std::move(piece));
      continue;
    }
    const auto cut = [&](const std::vector<Match>& matches) {
      for (const Match& part : apply_behavior(matches, behavior))
        if (part.begin < part.end) out.push_back({piece.text.slice(part.begin, part.end), std::nullopt});
    };
    if constexpr (std::is_same_v<decltype(find(std::string_view())), std::vector<Match>>) {
      cut(find(piece.text.text()));
    } else {
      TRY(const std::vector<Match> matches, find(piece.text.text()));
      cut(matches);
    }
  }
  pieces = std::move(out);
  return Done{};
}

template <class Test>
std::vector<Match> match_code_points(std::string_view text, Test is_delimiter) {
  std::vector<Match> out;
  size_t from = 0;
  for_each_code_point(text, [&](char32_t code, size_t at, size_t bytes) {
    if (!is_delimiter(code)) return;
    if (from < at) out.push_back({from, at, false});
    out.push_back({at, at + bytes, true});
    from = at + bytes;
  });
  if (from < text.size()) out.push_back({from, text.size(), false});
  return out;
}

}  // namespace holdfast::token
