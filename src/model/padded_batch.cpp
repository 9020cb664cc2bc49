#include "model/padded_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace holdfast::model {
namespace {

constexpr uint64_t tokens_max = 4 << 20;

using Numbers = std::vector<int64_t>;

Result<std::optional<Numbers>> numbers(const tensor::Weights& inputs, std::string_view name,
                                       const std::vector<uint64_t>& shape) {
  const tensor::TensorView* view = inputs.find(name);
  if (view == nullptr) return std::optional<Numbers>();
  if (view->shape != shape)
    return fail(Reason::bad_request, fmt::format("{} has shape {}, input_ids {}", name,
                                                 tensor::shape_text(view->shape), tensor::shape_text(shape)));
  TRY(Numbers out, tensor::to_integers(*view));
  return std::optional<Numbers>(std::move(out));
}

bool keeps(KeepPadding keep, std::span<const int64_t> mask) {
  const bool any = std::any_of(mask.begin(), mask.end(), [](int64_t seen) { return seen != 0; });
  return any && (keep == KeepPadding::everywhere || (keep == KeepPadding::where_first && mask.front() == 0));
}

}  // namespace

Result<Packed> pack(const tensor::Weights& inputs, size_t dimensions, const CountPositions& count,
                    std::string_view before, KeepPadding keep) {
  const std::string ids_name = fmt::format("{}input_ids", before);
  const tensor::TensorView* view = inputs.find(ids_name);
  if (view == nullptr) return fail(Reason::bad_request, fmt::format("{} is missing", ids_name));
  const std::vector<uint64_t>& shape = view->shape;
  if (shape.size() != dimensions || view->elements() > tokens_max)
    return fail(Reason::bad_request,
                fmt::format("{} must have {} dimensions and not too many tokens", ids_name, dimensions));
  TRY(const auto ids, numbers(inputs, ids_name, shape));
  TRY(const auto mask, numbers(inputs, fmt::format("{}attention_mask", before), shape));
  TRY(const auto types, numbers(inputs, fmt::format("{}token_type_ids", before), shape));
  TRY(const auto positions, numbers(inputs, fmt::format("{}position_ids", before), shape));
  Packed out;
  out.choices = dimensions == 3 ? shape[1] : 1;
  out.height = shape[0] * out.choices;
  out.width = shape.back();
  for (size_t row = 0; row < out.height; ++row) {
    const auto part = [&](const Numbers& all) { return std::span(all).subspan(row * out.width, out.width); };
    const std::vector<int64_t> counted = count(part(*ids), mask ? part(*mask) : std::span<const int64_t>());
    const bool keeps_padding = mask && out.width > 0 && keeps(keep, part(*mask));
    for (size_t column = 0; column < out.width; ++column) {
      const size_t place = row * out.width + column;
      const bool is_padding = mask && (*mask)[place] == 0;
      if (is_padding && !keeps_padding) continue;
      out.has_padding |= is_padding;
      out.batch.padding.push_back(is_padding ? 1 : 0);
      out.batch.add((*ids)[place], types ? (*types)[place] : 0,
                    positions ? (*positions)[place] : counted[column], static_cast<int64_t>(column));
      out.places.push_back(place);
    }
    if (out.batch.tokens() == out.batch.starts.back()) continue;  // A row of padding.
    out.batch.end_sequence(out.width);
    out.rows.push_back(row);
  }
  if (!out.has_padding) out.batch.padding.clear();
  return out;
}

NamedTensor unpack(const Packed& packed, const NamedOutput& output) {
  NamedTensor out;
  out.name = output.name;
  const bool by_token = output.rows == NamedOutput::Rows::tokens;
  out.shape = {packed.height};
  if (output.rows == NamedOutput::Rows::choices) out.shape = {packed.height / packed.choices, packed.choices};
  if (by_token) out.shape.push_back(packed.width);
  if (!output.flat) out.shape.push_back(output.columns);
  const std::vector<size_t>& places = by_token ? packed.places : packed.rows;
  out.data.assign(packed.height * (by_token ? packed.width : 1) * output.columns, 0.0F);
  for (size_t i = 0; i < places.size(); ++i) {
    if (by_token && packed.has_padding && packed.batch.padding[i] != 0) continue;
    std::copy_n(output.data.data() + i * output.columns, output.columns,
                out.data.data() + places[i] * output.columns);
  }
  return out;
}

}  // namespace holdfast::model
