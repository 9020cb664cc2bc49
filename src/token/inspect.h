#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "token/tokenizer.h"

namespace holdfast::token {

// A part of a text at one stage on its way to tokens.
struct StageRow {
  std::string text;
  Span bytes;                 // Of the input.
  std::vector<Token> tokens;  // At the stages that have them.
};

// What each stage makes of a text, to find where two tokenizers part.
struct StageReport {
  std::vector<StageRow> normalized;  // After added tokens are cut out and the rest is normalized.
  std::vector<StageRow> pre_tokenized;
  std::vector<StageRow> modelled;  // A row a token of the model.
  Encoding encoded;                // With special tokens.
  std::string decoded;             // Special tokens left out.
};

Result<StageReport> inspect(const Tokenizer& tokenizer, std::string_view text);

}  // namespace holdfast::token
