#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace holdfast::jinja {

enum class TokenKind : uint8_t {
  data,
  block_begin,
  block_end,
  variable_begin,
  variable_end,
  name,
  text,
  integer,
  real,
  sign,  // An operator or bracket; `text` has it.
  end,
  broken,  // What no token begins with: `text` says why. The last, instead of `end`.
};

struct Token {
  TokenKind kind = TokenKind::end;
  uint32_t line = 1;
  std::string text;  // The data, the name, the string's value, the operator.
  Value number;      // Of integer and real.
};

// A template as tokens, the last one `end` or `broken`: jinja2 reads tokens as its parser asks for them, so
// an error of the parser before a broken token is the one that is told. White space control (-, +),
// trim_blocks, lstrip_blocks, raw blocks and comments are done here, as jinja2's lexer does them.
std::vector<Token> split_template(std::string_view source);

}  // namespace holdfast::jinja
