#include "token/metaspace.h"

#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

Result<Metaspace> Metaspace::load(const boost::json::object& json) {
  Metaspace out;
  TRY(const std::string_view replacement, codec::json_text(json, "replacement"));
  if (count_code_points(replacement) != 1)
    return fail(Reason::bad_request, "Metaspace's 'replacement' is not one character");
  out.replacement = code_point_at(replacement, 0).value;
  TRY(const auto split, codec::json_flag_if(json, "split"));
  out.split = split.value_or(true);
  TRY(const auto scheme, codec::json_text_if(json, "prepend_scheme"));
  if (scheme == "first")
    out.prepend = Prepend::first;
  else if (scheme == "never")
    out.prepend = Prepend::never;
  else if (scheme && *scheme != "always")
    return fail(Reason::bad_request, "Metaspace's 'prepend_scheme' is not known");
  TRY(const auto prefix_space, codec::json_flag_if(json, "add_prefix_space"));
  if (prefix_space == false && out.prepend != Prepend::never)
    return fail(Reason::bad_request,
                "Metaspace's 'add_prefix_space' and 'prepend_scheme' say different things");
  return out;
}

}  // namespace holdfast::token
