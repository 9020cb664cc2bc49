#pragma once

#include <span>
#include <string>

namespace holdfast::codec {

// The shortest JSON text that is the same number when read as one of its type; a whole one with its ".0";
// null for what JSON has no number for.
void append_number(std::string& out, float number);
void append_number(std::string& out, double number);

// A vector as a JSON array, as TEI writes it: beside the same numbers as doubles it is half as long.
void append_floats(std::string& out, std::span<const float> numbers);

}  // namespace holdfast::codec
