#include "token/regex/grapheme_text.h"

#include <fmt/format.h>

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

}  // namespace

const std::string& grapheme_text() {
  static const std::string text = make();
  return text;
}

}  // namespace holdfast::token
