#include "model/picture_grid.h"

#include <cmath>
#include <numbers>

namespace holdfast::model {

Result<std::vector<float>> load_grid_bias(const GridBias& plan, size_t heads, const WeightReader& reader,
                                          const std::string& layer) {
  const size_t across = 2 * plan.width - 1, near = (2 * plan.height - 1) * across;
  const size_t patches = plan.height * plan.width, side = patches + 1;
  std::vector<float> out;
  std::vector<std::string> names;
  if (!plan.own.empty()) names.push_back(layer + plan.own);
  if (!plan.shared.empty()) names.push_back(plan.shared);
  // Which row of the table two of them meet in; the last three are those of the class.
  const auto row_of = [&](size_t query, size_t key) {
    if (query == 0 || key == 0) return near + (query != 0 ? 1U : key != 0 ? 0U : 2U);
    --query;
    --key;
    return (query / plan.width + plan.height - 1 - key / plan.width) * across + query % plan.width +
           plan.width - 1 - key % plan.width;
  };
  for (const std::string& name : names) {
    TRY(const std::vector<float> table,
        reader.floats(name + ".relative_position_bias_table", {near + 3, heads}));
    out.resize(heads * side * side, 0.0F);
    for (size_t query = 0; query < side; ++query)
      for (size_t key = 0; key < side; ++key) {
        const float* row = table.data() + row_of(query, key) * heads;
        for (size_t head = 0; head < heads; ++head) out[(head * side + query) * side + key] += row[head];
      }
  }
  return out;
}

tensor::RopeTable grid_rope_rows(float theta, size_t head_width, std::span<const float> places) {
  const size_t quarter = head_width / 4, rows = places.size() / 2;
  std::vector<float> frequencies(quarter);
  for (size_t i = 0; i < quarter; ++i) {
    const float power = static_cast<float>(i) * (4.0F / static_cast<float>(head_width));
    frequencies[i] = 1.0F / std::pow(theta, power);
  }
  tensor::RopeTable table;
  table.pairs = 2 * quarter;
  table.cosines.resize(rows * table.pairs);
  table.sines.resize(rows * table.pairs);
  constexpr auto turn = static_cast<float>(2 * std::numbers::pi);
  for (size_t i = 0; i < places.size(); ++i)
    for (size_t k = 0; k < quarter; ++k) {
      const float angle = turn * places[i] * frequencies[k];
      table.cosines[i * quarter + k] = std::cos(angle);
      table.sines[i * quarter + k] = std::sin(angle);
    }
  return table;
}

}  // namespace holdfast::model
