#pragma once

#include <cstdint>
#include <optional>

#include "model/structured/grammar.h"

namespace holdfast::model::structured {

// Whole numbers of JSON from `least` to `most`, both included, without leading zeros or "-0". An open side
// ends at 18 digits. Empty range: a sequence that nothing matches.
Sequence integer_range(GrammarBuilder& builder, std::optional<int64_t> least, std::optional<int64_t> most);

}  // namespace holdfast::model::structured
