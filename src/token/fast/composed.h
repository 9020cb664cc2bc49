#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "token/fast/instructions.h"
#include "token/normalized_text.h"

namespace holdfast::token {

// Whether the text is in NFC as the reference has it, as far as can be seen quickly: no is "perhaps not".
bool is_surely_composed(std::string_view text, Instructions instructions = best_instructions());

// Which code points of a text those of its composition came from.
class CodeOrigins {
 public:
  // The composed code points from `code` on came from `spans`; what follows, up to the next that are put,
  // from the code points from `after` on, one each.
  void put(uint32_t code, const std::vector<Span>& spans, uint32_t after);
  Span of(Span codes) const;

 private:
  struct Region {
    uint32_t code = 0, count = 0, after = 0;
    size_t spans = 0;  // The first of them.
  };
  Span of_one(uint32_t code) const;

  std::vector<Region> regions_;
  std::vector<Span> spans_;
};

// NFC of a text: only the parts that may change are looked at closely. `origins` is null where nobody asks.
void compose_into(std::string_view text, std::string& out, CodeOrigins* origins = nullptr,
                  Instructions instructions = best_instructions());

}  // namespace holdfast::token
