#pragma once

#include <string>
#include <string_view>

#include "token/fast/instructions.h"

namespace holdfast::token {

// Whether the text is in NFC as the reference has it, as far as can be seen quickly: no is "perhaps not".
bool is_surely_composed(std::string_view text, Instructions instructions = best_instructions());
// NFC of a text, without where its bytes came from: only the parts that may change are looked at closely.
void compose_into(std::string_view text, std::string& out, Instructions instructions = best_instructions());

}  // namespace holdfast::token
