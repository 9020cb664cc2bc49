#include "token/compare.h"

#include <fmt/format.h>

namespace holdfast::token {
namespace {

std::string row_text(const Encoding& encoding, size_t row) {
  if (row >= encoding.size()) return "nothing";
  const Span span = encoding.offsets[row];
  return fmt::format("{} {} {}..{}", encoding.ids[row], encoding.tokens[row], span.begin, span.end);
}

size_t first_difference(const Encoding& one, const Encoding& other) {
  const size_t both = std::min(one.size(), other.size());
  for (size_t row = 0; row < both; ++row)
    if (one.ids[row] != other.ids[row] || one.tokens[row] != other.tokens[row] ||
        one.offsets[row] != other.offsets[row] || one.type_ids[row] != other.type_ids[row] ||
        one.mask[row] != other.mask[row] || one.special[row] != other.special[row])
      return row;
  return both;
}

}  // namespace

std::optional<TextDifference> difference_on(const Tokenizer& one, const Tokenizer& other,
                                            std::string_view text) {
  Input input;
  input.text = text;
  const auto ours = one.encode(input, EncodeOptions());
  const auto theirs = other.encode(input, EncodeOptions());
  if (!ours.ok() || !theirs.ok()) {
    if (ours.ok() == theirs.ok()) return std::nullopt;
    return TextDifference{std::string(text), 0, ours.ok() ? "encoded" : ours.error().message,
                          theirs.ok() ? "encoded" : theirs.error().message};
  }
  const size_t row = first_difference(ours.value(), theirs.value());
  if (row < ours.value().size() || row < theirs.value().size())
    return TextDifference{std::string(text), row, row_text(ours.value(), row), row_text(theirs.value(), row)};
  using enum Tokenizer::SpecialsInOutput;
  for (const auto specials : {keep, skip}) {
    const auto a = one.decode(ours.value().ids, specials), b = other.decode(theirs.value().ids, specials);
    const std::string left = a.ok() ? a.value() : a.error().message;
    const std::string right = b.ok() ? b.value() : b.error().message;
    if (a.ok() != b.ok() || left != right) return TextDifference{std::string(text), row, left, right};
  }
  return std::nullopt;
}

const std::vector<std::string_view>& telling_texts() {
  static const std::vector<std::string_view> texts = {
      "",
      "a",
      "Hello, world!",
      " leading and trailing ",
      "two  three   four    spaces",
      "tab\tnewline\nreturn\r\nform\f",
      "UPPER lower MiXeD",
      "It's we'll they've I'M DON'T",
      "1 22 333 4444 55555 3.14159 1,000,000",
      "Ünïcödé café naïve Straße",
      "日本語のテキストと漢字、カタカナ",
      "中文没有空格，标点也不同。",
      "한국어 텍스트",
      "Привет, мир! Ёлка",
      "مرحبا بالعالم",
      "שלום עולם",
      "नमस्ते दुनिया",
      "ภาษาไทยไม่มีช่องว่าง",
      "👩‍👩‍👧‍👦 family 🏳️‍🌈 flag 👍🏽",
      "e\u0301 combining \u0041\u030a",
      "ﬁ ligature ½ ² ™ Ⅷ",
      "def f(x):\n    return x ** 2  # comment\n",
      "<html><body class=\"a\">&nbsp;</body></html>",
      "https://example.org/path?query=1&b=%20#top",
      "snake_case camelCase PascalCase SCREAMING_CASE",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaa",
      "Donaudampfschifffahrtsgesellschaftskapitän",
      "``quoted'' \"text\" ‘and’ “more”",
      "\u00a0no\u2009break\u3000spaces\u200bzero",
      "\u0001\u0002control\u007f\ufeff\ufffd",
      "<s> </s> <unk> <pad> [CLS] [SEP] [MASK] <mask> <|endoftext|> <|im_start|>",
      "\U0001F600\U0010FFFF\U0002B920",
      "x²+y²=z² ∑∫√ ≤≥≠ αβγ",
      "...!!!? ? ?---___***",
  };
  return texts;
}

}  // namespace holdfast::token
