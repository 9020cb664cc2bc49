#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scan/finding.h"
#include "scan/license.h"

namespace holdfast::scan {

enum class CardKind : uint8_t { model, dataset, space };

// How complete a card is: which keys of its metadata and which sections of its text are there, with the
// YAML's line numbers; blanks of the template count as missing (governance.md 2.5).
struct CardReport {
  std::vector<Finding> findings{};
  std::vector<std::string> missing_sections{};  // "Uses", "Bias, Risks, and Limitations", …
  double completeness = 0;                      // Share of keys and sections that are there.
  std::string license{};                        // An expression; empty when there is none.
  std::vector<std::string> base_models{}, datasets{};
};
CardReport check_card(std::string_view readme, CardKind kind);

}  // namespace holdfast::scan
