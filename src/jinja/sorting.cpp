#include "jinja/sorting.h"

#include <algorithm>

#include "jinja/operators.h"

namespace holdfast::jinja {

Status sort_rows(Runtime& runtime, std::vector<Keyed>& rows, Order order) {
  Status outcome = Done{};
  std::stable_sort(rows.begin(), rows.end(), [&](const Keyed& a, const Keyed& b) {
    if (!outcome.ok()) return false;
    auto before = order == Order::rising ? less(runtime, a.key, b.key) : less(runtime, b.key, a.key);
    if (!before.ok()) outcome = std::move(before).error();
    return before.ok() && before.value();
  });
  return outcome;
}

Result<Items> sorted(Runtime& runtime, std::vector<Keyed> rows, Order order) {
  TRY_DONE(sort_rows(runtime, rows, order));
  Items out;
  out.reserve(rows.size());
  for (Keyed& row : rows) out.push_back(std::move(row.item));
  return out;
}

}  // namespace holdfast::jinja
