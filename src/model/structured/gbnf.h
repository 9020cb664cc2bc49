#pragma once

#include <string_view>

#include "model/structured/grammar.h"

namespace holdfast::model::structured {

// A grammar as llama.cpp writes them (GBNF): `name ::= …` with "text", [classes], ., other names, ( ), |,
// * + ? {m} {m,} {m,n} and # comments; `root` is where it starts. bad_request with the line for what does not
// parse, a name without a rule, and what Grammar refuses.
Result<Grammar> grammar_of_gbnf(std::string_view text);

}  // namespace holdfast::model::structured
