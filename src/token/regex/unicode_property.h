#pragma once

#include <string_view>

#include "token/regex/code_set.h"

namespace holdfast::token {

// The code points of a script or another property of Unicode, as \p{...} names it in the reference: what
// PCRE2 knows, with what its Unicode version lacks. Case, spaces, '-' and '_' do not count. bad_request for
// one that is not known.
Result<CodeSet> unicode_property(std::string_view name);

}  // namespace holdfast::token
