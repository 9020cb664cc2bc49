#pragma once

#include <string_view>

#include "token/regex/code_set.h"

namespace holdfast::token {

// The code points of a property as PCRE2 names it ("sc:Greek", "Emoji"). bad_request where it knows none.
Result<CodeSet> pcre2_property(std::string_view name);

}  // namespace holdfast::token
