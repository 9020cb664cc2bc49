#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::codec {

// What stays as it is beside the unreserved characters A-Z a-z 0-9 - . _ ~ of RFC 3986.
enum class PercentKeep : uint8_t {
  nothing,  // A path segment or a query value: "refs/pr/1" becomes "refs%2Fpr%2F1".
  slash,    // A path.
};
std::string percent_encode(std::string_view text, PercentKeep keep = PercentKeep::nothing);

// A path segment or path; '+' stays. A '%' without two hexadecimal digits is bad_request. The bytes may be
// anything, also zero or invalid UTF-8: whoever uses them as a name checks that.
Result<std::string> percent_decode(std::string_view text);

// A key or value of a query or form: '+' is a space, and a '%' without two digits stays, as browsers read it.
std::string form_decode(std::string_view text);
// Spaces become '+'.
std::string form_encode(std::string_view text);

// application/x-www-form-urlencoded and query strings: pairs in order, decoded; a key without '=' has an
// empty value, empty pairs are skipped. More than `pairs_max` is too_large.
using FormPairs = std::vector<std::pair<std::string, std::string>>;
Result<FormPairs> parse_form(std::string_view text, size_t pairs_max = 1000);

}  // namespace holdfast::codec
