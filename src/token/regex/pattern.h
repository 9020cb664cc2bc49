#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::token {

// An Oniguruma pattern (Ruby syntax, as the reference compiles it) rewritten for PCRE2 with the same matches:
// classes with the reference's Unicode tables, options, anchors and quantifiers that mean something else
// there. bad_request for what has no equal: conditions of Ruby's, unknown properties, a pattern that is cut
// short.
Result<std::string> to_pcre2(std::string_view pattern);

}  // namespace holdfast::token
