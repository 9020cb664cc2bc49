#include "token/regex/load_pattern.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::shared_ptr<const Regex>> load_pattern(const boost::json::object& json) {
  TRY(const boost::json::object* pattern, codec::json_object(json, "pattern"));
  TRY(const auto text, codec::json_text_if(*pattern, "String"));
  if (text) return compile_literal(*text);
  TRY(const std::string_view regex, codec::json_text(*pattern, "Regex"));
  return compile_regex(regex);
}

}  // namespace holdfast::token
