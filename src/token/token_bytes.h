#pragma once

#include <string>
#include <vector>

#include "token/tokenizer.h"

namespace holdfast::token {

// What each token adds to a text, by id: the bytes of byte-level letters, of "<0x41>" where vocabularies fall
// back to bytes, spaces for "▁"; empty for special tokens and holes. What answers that are bound to a grammar
// are measured by.
std::vector<std::string> token_bytes(const Tokenizer& tokenizer);

}  // namespace holdfast::token
