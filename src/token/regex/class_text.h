#pragma once

#include <string>

#include "token/regex/code_set.h"

namespace holdfast::token {

// A PCRE2 class that holds exactly these code points, whatever Unicode version PCRE2 was built with: its
// general categories where all of one are wanted, ranges for the rest, of the set or of its complement. The
// set may not be empty and not hold everything.
std::string class_text(const CodeSet& set);

}  // namespace holdfast::token
