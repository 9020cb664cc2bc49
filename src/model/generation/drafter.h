#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "model/generation/settings.h"

namespace holdfast::model {

// Guesses how a text goes on. What is guessed is checked by the model itself, so it decides about speed
// alone, never about the text. One text; one thread at a time.
class Drafter {
 public:
  virtual ~Drafter() = default;
  // At most `most` tokens behind `text` (prompt included), which only grows between calls.
  virtual Result<std::vector<TokenId>> propose(std::span<const TokenId> text, size_t most) = 0;
};

// What followed the last time that the text's last tokens (up to `longest` of them) stood before: good for
// answers that quote their prompt.
std::unique_ptr<Drafter> make_prompt_lookup(size_t longest = 3);

}  // namespace holdfast::model
