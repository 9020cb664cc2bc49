#pragma once

#include <vector>

#include "jinja/runtime.h"

namespace holdfast::jinja {

struct Keyed {
  Value key, item;
};
enum class Order : uint8_t { rising, falling };

// Python's sorted: stable, equal keys keep their order also when falling; keys that do not compare are an
// error.
Status sort_rows(Runtime& runtime, std::vector<Keyed>& rows, Order order);
Result<Items> sorted(Runtime& runtime, std::vector<Keyed> rows, Order order);

}  // namespace holdfast::jinja
