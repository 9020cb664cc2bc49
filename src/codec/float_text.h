#pragma once

#include <span>
#include <string>

namespace holdfast::codec {

// A vector as a JSON array: each number the shortest text that is the same float when read as one, as TEI
// writes them; a whole one with its ".0"; null for what JSON has no number for. Beside the same numbers as
// doubles it is half as long.
void append_floats(std::string& out, std::span<const float> numbers);

}  // namespace holdfast::codec
