#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::token {

// A set of code points, as a character class of a regular expression names one.
using CodeSet = std::bitset<0x110000>;

// A name of a property as it is compared: in small letters, without spaces, '-' and '_'.
std::string plain_name(std::string_view name);
// The set a property name stands for in Oniguruma: general categories, scripts we know of, POSIX names; case,
// spaces,
// '-' and '_' do not count. bad_request for one we do not know.
Result<CodeSet> property_set(std::string_view name);
// Those of Oniguruma: they differ a little from the properties of the same name.
const CodeSet& word_set();   // \w
const CodeSet& digit_set();  // \d
const CodeSet& space_set();  // \s
const CodeSet& hex_set();    // \h

}  // namespace holdfast::token
