#include "token/unicode/properties.h"

#include <utf8proc.h>

#include <algorithm>
#include <span>

#include "token/unicode/tables.h"

namespace holdfast::token {
namespace {

bool contains(std::span<const CodeRange> ranges, char32_t code) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](char32_t wanted, const CodeRange& range) { return wanted < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

std::vector<uint8_t> expand(std::span<const uint32_t> runs) {
  std::vector<uint8_t> out(0x110000);
  for (size_t i = 0; i < runs.size(); ++i) {
    const size_t end = i + 1 < runs.size() ? runs[i + 1] >> 8U : out.size();
    std::fill(out.begin() + (runs[i] >> 8U), out.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<uint8_t>(runs[i]));
  }
  return out;
}

constexpr char32_t hangul_first = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7;
constexpr char32_t leadings = 19, vowels = 21, trailings = 28;

char32_t compose_hangul(char32_t first, char32_t second) {
  if (first >= leading && first < leading + leadings && second >= vowel && second < vowel + vowels)
    return hangul_first + ((first - leading) * vowels + second - vowel) * trailings;
  const char32_t index = first - hangul_first;
  if (first >= hangul_first && index < leadings * vowels * trailings && index % trailings == 0 &&
      second > trailing && second < trailing + trailings)
    return first + second - trailing;
  return 0;
}

}  // namespace

const uint8_t* code_properties() {
  static const std::vector<uint8_t> table = expand(tables::category_runs);
  return table.data();
}

bool is_white_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 9 && code <= 13);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_word(char32_t code) {
  if (code < 0x80)
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
           code == '_';
  constexpr uint32_t wanted = mark_categories | 1U << static_cast<unsigned>(Category::decimal_number) |
                              1U << static_cast<unsigned>(Category::connector_punctuation);
  return (code_properties()[code] & alphabetic_bit) != 0 || is_in(code, wanted) || code == 0x200C ||
         code == 0x200D;
}

bool is_numeric(char32_t code) {
  if (code < 0x80) return code >= '0' && code <= '9';
  // The last two are newer than the table.
  return is_in(code, number_categories) || (code >= 0x11DE0 && code <= 0x11DE9) ||
         (code >= 0x16FF4 && code <= 0x16FF6);
}

bool is_combining_mark(char32_t code) { return code >= 0x300 && contains(tables::marks, code); }

uint8_t script_of(char32_t code) {
  static const std::vector<uint8_t> table = expand(tables::script_runs);
  return table[code];
}

bool is_cleaned_away(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return false;
  return contains(cleaned_away, code);
}

bool is_bert_punctuation(char32_t code) { return contains(bert_punctuation, code); }

bool is_nonspacing_mark(char32_t code) { return code >= 0x300 && contains(nonspacing_marks, code); }

// The last but one range is as the reference has it: a slip of 0x2B820 that models were trained with.
bool is_cjk_ideograph(char32_t code) {
  if (code < 0x3400) return false;
  return (code >= 0x4E00 && code <= 0x9FFF) || code <= 0x4DBF || (code >= 0x20000 && code <= 0x2A6DF) ||
         (code >= 0x2A700 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

Lowered to_lower(char32_t code) {
  if (code < 0x80) return {{code >= 'A' && code <= 'Z' ? code + 32 : code}, 1};
  if (code == 0x130) return {{U'i', 0x307}, 2};  // The only letter whose lower case has two code points.
  const auto late =
      std::lower_bound(late_capitals.begin(), late_capitals.end(), code,
                       [](const CodePair& pair, char32_t wanted) { return pair.from < wanted; });
  if (late != late_capitals.end() && late->from == code) return {{late->to}, 1};
  return {{static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)))}, 1};
}

int combining_class(char32_t code) {
  if (code < 0x300) return 0;
  const int order = utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class;
  return order == 0 || contains(unordered_marks, code) ? 0 : order;
}

bool may_decompose(char32_t code) {
  constexpr uint16_t none = UINT16_MAX;  // As utf8proc_property_t says.
  return (code >= hangul_first && code < hangul_first + leadings * vowels * trailings) ||
         utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->decomp_seqindex != none;
}

void append_decomposed(std::vector<char32_t>& out, char32_t code, Decomposition kind) {
  constexpr char32_t unknown_to_the_reference = 0x11938;
  if (code < 0xA0 || code == unknown_to_the_reference ||
      (kind == Decomposition::compatibility &&
       std::binary_search(tables::undecomposed.begin(), tables::undecomposed.end(), code))) {
    out.push_back(code);
    return;
  }
  std::array<utf8proc_int32_t, 32> parts{};  // The longest decomposition has 18.
  int last = 0;
  const int options =
      UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (kind == Decomposition::compatibility ? UTF8PROC_COMPAT : 0);
  const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(),
                                                         static_cast<utf8proc_ssize_t>(parts.size()),
                                                         static_cast<utf8proc_option_t>(options), &last);
  if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
    out.push_back(code);
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    out.push_back(static_cast<char32_t>(parts[static_cast<size_t>(i)]));
}

char32_t compose(char32_t first, char32_t second) {
  if (const char32_t syllable = compose_hangul(first, second); syllable != 0) return syllable;
  const std::span<const char32_t> table = tables::compositions;
  size_t low = 0, high = table.size() / 3;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const char32_t a = table[middle * 3], b = table[middle * 3 + 1];
    if (a == first && b == second) return table[middle * 3 + 2];
    if (a < first || (a == first && b < second))
      low = middle + 1;
    else
      high = middle;
  }
  return 0;
}

}  // namespace holdfast::token
