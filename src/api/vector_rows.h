#pragma once

#include <span>
#include <string>

namespace holdfast::api {

// The vectors of a text's tokens, which lie one after the other: a JSON array of arrays.
void append_rows(std::string& out, std::span<const float> all, size_t width);

}  // namespace holdfast::api
