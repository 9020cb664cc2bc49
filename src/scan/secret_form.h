#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::scan {

// The look of a secret, written down short: plain characters stand for themselves, {class count}, {class
// least-most} or {class least-} for that many of a class of characters. "glpat-{w20}" is the mark of GitLab
// and twenty letters.
//   d digits  h hexadecimal digits  a letters and digits  u upper-case letters and digits
//   w letters, digits, '_', '-'     b base64, '=' at its end     e as w, and '='     t as e, and '.', '~'
//   x as w, and what stands in addresses     z letters     k base32: upper-case letters and 2 to 7
//   p base64 of either alphabet, with '=' anywhere     c as a, and '%' of what is escaped in addresses
// Letters of a class count in either case (but those of u and k), plain ones as written. {uuid} is one of
// those.

// PCRE2 for it; bad_request for what is not written so.
Result<std::string> pattern_of_form(std::string_view form);
// The longest run of plain characters, in lower case: what a first pass looks for. Empty when there is none
// of three.
std::string keyword_of_form(std::string_view form);

}  // namespace holdfast::scan
