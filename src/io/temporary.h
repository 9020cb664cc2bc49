#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace holdfast::io {

// A name for a file that is not yet what it will be called: STEM.new-RANDOM. Nobody else has it.
std::string temporary_name(Random& random, std::string_view stem);
// Whether the name was made so: what is left of a program that stopped is found and removed by it.
bool is_temporary_name(std::string_view name);

}  // namespace holdfast::io
