#pragma once

#include <cstdint>

namespace holdfast::app {

// What the card of a release must have before its gate passes.
enum class CardDemand : uint8_t { licence, complete };

}  // namespace holdfast::app
