#include "token/regex/unicode_property.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/regex/pcre2_property.h"
#include "token/unicode/later_properties.h"

namespace holdfast::token {
namespace {

const LaterProperty* later_of(std::string_view name) {
  for (const LaterProperty& one : later_properties)
    for (std::string_view left = one.names; !left.empty();) {
      const std::string_view first = left.substr(0, left.find(' '));
      if (first == name) return &one;
      left.remove_prefix(std::min(left.size(), first.size() + 1));
    }
  return nullptr;
}

}  // namespace

Result<CodeSet> unicode_property(std::string_view given) {
  const std::string name = plain_name(given);
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
  });
  if (!is_name)
    return fail(
        Reason::bad_request,
        fmt::format("a regular expression of the tokenizer names the property '{}': a name has letters "
                    "and digits, and none has a value (NAME=VALUE), as in the reference",
                    given.substr(0, 60)));
  if (name == "othermath" || name == "omath") {
    // Mathematical by a list of their own, not by their category.
    TRY(const CodeSet all, unicode_property("math"));
    TRY(const CodeSet symbols, property_set("sm"));
    return all & ~symbols;
  }
  const LaterProperty* const later = later_of(name);
  auto set = pcre2_property(fmt::format("sc:{}", name));
  if (!set.ok()) set = pcre2_property(name);
  if (!set.ok()) {
    if (later == nullptr || !later->is_whole) return set.error();
    set = CodeSet();
  }
  if (later == nullptr) return set;
  for (const CodeRange& range : later->added)
    for (char32_t code = range.first; code <= range.last; ++code) set.value().set(code);
  for (const CodeRange& range : later->removed)
    for (char32_t code = range.first; code <= range.last; ++code) set.value().reset(code);
  return set;
}

}  // namespace holdfast::token
