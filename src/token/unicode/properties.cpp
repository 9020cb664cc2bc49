#include "token/unicode/properties.h"

#include <utf8proc.h>

#include <algorithm>
#include <span>

#include "token/unicode/reference_tables.h"

namespace holdfast::token {
namespace {

bool contains(std::span<const CodeRange> ranges, char32_t code) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](char32_t wanted, const CodeRange& range) { return wanted < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

}  // namespace

bool is_white_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 9 && code <= 13);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_word(char32_t code) {
  if (code < 0x80)
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
           code == '_';
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return code == 0x200C || code == 0x200D ||
             (code >= 0x24B6 && code <= 0x24E9);  // Join_Control, circled letters.
  }
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
  if (code < 0x300 || contains(unordered_marks, code)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class;
}

void append_canonical(std::vector<char32_t>& out, char32_t code) {
  constexpr char32_t unknown_to_the_reference = 0x11938;
  if (code < 0xC0 || code == unknown_to_the_reference) {
    out.push_back(code);
    return;
  }
  std::array<utf8proc_int32_t, 32> parts{};  // The longest canonical decomposition has 4.
  int last = 0;
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(), parts.size(),
                              static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &last);
  if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
    out.push_back(code);
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    out.push_back(static_cast<char32_t>(parts[static_cast<size_t>(i)]));
}

}  // namespace holdfast::token
