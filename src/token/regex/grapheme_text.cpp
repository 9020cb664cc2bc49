#include "token/regex/grapheme_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "token/regex/class_text.h"
#include "token/regex/code_set.h"
#include "token/unicode/graphemes.h"

namespace holdfast::token {
namespace {

template <class Is>
std::string text_of(Is is) {
  auto set = std::make_unique<CodeSet>();
  for (char32_t code = 0; code < set->size(); ++code)
    if ((code < 0xD800 || code >= 0xE000) && is(code)) set->set(code);
  return class_text(*set);
}

std::string make() {
  using enum GraphemeClass;
  const auto of_class = [](GraphemeClass wanted) {
    return text_of([wanted](char32_t code) { return grapheme_class(code) == wanted; });
  };
  const std::string breaks = text_of([](char32_t code) {
    const GraphemeClass found = grapheme_class(code);
    return found == control || found == cr || found == lf;
  });
  const std::string inner = text_of([](char32_t code) {
    const GraphemeClass found = grapheme_class(code);
    return found == extend || found == zwj || found == spacing_mark;
  });
  const std::string hangul =
      fmt::format("{0}*(?:{1}{2}*|{2}+|{3}){4}*|{0}+|{4}+", of_class(hangul_l), of_class(hangul_lv),
                  of_class(hangul_v), of_class(hangul_lvt), of_class(hangul_t));
  const std::string picture = of_class(pictographic);
  const std::string pictures = fmt::format("{0}(?:{1}*+{2}{0})*", picture, of_class(extend), of_class(zwj));
  const std::string flags = fmt::format("{0}{0}", of_class(regional_indicator));
  return fmt::format(R"((?>\r\n|{0}|{1}*(?:{2}|{3}|{4}|(?!{0})(?s:.)){5}*))", breaks, of_class(prepend),
                     hangul, flags, pictures, inner);
}

// Of UAX 29, where no cluster ends; what may be of any length is looked back at for so many characters.
std::string make_inside() {
  using enum GraphemeClass;
  const auto of_classes = [](std::initializer_list<GraphemeClass> wanted) {
    return text_of([wanted](char32_t code) {
      return std::find(wanted.begin(), wanted.end(), grapheme_class(code)) != wanted.end();
    });
  };
  constexpr size_t extends_max = 3, flags_max = 12;
  const std::string not_break = text_of([](char32_t code) {
    const GraphemeClass found = grapheme_class(code);
    return found != control && found != cr && found != lf;
  });
  const std::string flag = of_classes({regional_indicator}), picture = of_classes({pictographic});
  std::string pictures, flags, extends;
  const std::string other = text_of([](char32_t code) { return grapheme_class(code) != regional_indicator; });
  std::string odd_flags = flag;
  for (size_t i = 0; i <= extends_max; ++i) {
    pictures += fmt::format("{}{}{}{}", i == 0 ? "" : "|", picture, extends, of_classes({zwj}));
    extends += of_classes({extend});
  }
  for (size_t i = 0; i < flags_max; i += 2) {
    flags += fmt::format("{}\\A{}|{}{}", i == 0 ? "" : "|", odd_flags, other, odd_flags);
    odd_flags += flag + flag;
  }
  return fmt::format(
      R"((?:(?<=\r)(?=\n)|(?<={0})(?={1})|(?<={2})(?={0})|(?<={3})(?={4})|(?<={5})(?={6})|(?<={7})(?={8})|(?<={9})(?={10})|(?<={11})(?={12})))",
      not_break, of_classes({extend, zwj, spacing_mark}), of_classes({prepend}), of_classes({hangul_l}),
      of_classes({hangul_l, hangul_v, hangul_lv, hangul_lvt}), of_classes({hangul_lv, hangul_v}),
      of_classes({hangul_v, hangul_t}), of_classes({hangul_lvt, hangul_t}), of_classes({hangul_t}), pictures,
      picture, flags, flag);
}

}  // namespace

const std::string& within_grapheme_text() {
  static const std::string text = make_inside();
  return text;
}

const std::string& grapheme_text() {
  static const std::string text = make();
  return text;
}

}  // namespace holdfast::token
