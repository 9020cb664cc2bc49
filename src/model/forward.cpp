#include "model/forward.h"

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

// The padded batch, and which place each of its packed tokens has in [B, T].
struct Packed {
  TokenBatch batch;
  std::vector<size_t> places;
  std::vector<size_t> rows;  // Of the sequences that have tokens.
  uint64_t height = 0, width = 0;
  uint64_t choices = 1;  // Sequences an example.
};

Result<Packed> pack(const EncoderPlan& plan, const tensor::Weights& inputs) {
  const tensor::TensorView* view = inputs.find("input_ids");
  if (view == nullptr) return fail(Reason::bad_request, "input_ids is missing");
  const std::vector<uint64_t>& shape = view->shape;
  const size_t dimensions = plan.head == Head::multiple_choice ? 3 : 2;
  if (shape.size() != dimensions || view->elements() > tokens_max)
    return fail(Reason::bad_request,
                fmt::format("input_ids must have {} dimensions and not too many tokens", dimensions));
  TRY(const auto ids, numbers(inputs, "input_ids", shape));
  TRY(const auto mask, numbers(inputs, "attention_mask", shape));
  TRY(const auto types, numbers(inputs, "token_type_ids", shape));
  TRY(const auto positions, numbers(inputs, "position_ids", shape));
  Packed out;
  out.choices = dimensions == 3 ? shape[1] : 1;
  out.height = shape[0] * out.choices;
  out.width = shape.back();
  for (size_t row = 0; row < out.height; ++row) {
    const std::vector<int64_t> counted =
        positions_of(plan, std::span(*ids).subspan(row * out.width, out.width));
    for (size_t column = 0; column < out.width; ++column) {
      const size_t place = row * out.width + column;
      if (mask && (*mask)[place] == 0) continue;
      out.batch.add((*ids)[place], types ? (*types)[place] : 0,
                    positions ? (*positions)[place] : counted[column], static_cast<int64_t>(column));
      out.places.push_back(place);
    }
    if (out.batch.tokens() == out.batch.starts.back()) continue;  // A row of padding.
    out.batch.end_sequence(out.width);
    out.rows.push_back(row);
  }
  return out;
}

Status check_first_tokens(const Packed& packed) {
  for (size_t i = 0; i < packed.batch.sequences(); ++i)
    if (packed.places[packed.batch.starts[i]] % packed.width != 0)
      return fail(Reason::bad_request,
                  "a row's first token is masked, but it is the one the answer is read from");
  return Done{};
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
  for (size_t i = 0; i < places.size(); ++i)
    std::copy_n(output.data.data() + i * output.columns, output.columns,
                out.data.data() + places[i] * output.columns);
  return out;
}

}  // namespace

Result<std::vector<NamedTensor>> forward(const EncoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads) {
  TRY(const Packed packed, pack(model.plan(), inputs));
  TRY(const std::vector<NamedOutput> outputs, model.forward(packed.batch, threads));
  std::vector<NamedTensor> all;
  for (const NamedOutput& output : outputs) {
    if (output.rows != NamedOutput::Rows::tokens && model.reads_first_tokens()) {
      const Status first = check_first_tokens(packed);
      // A model without head still has its hidden states.
      if (!first.ok() && model.plan().head == Head::none) continue;
      TRY_DONE(first);
    }
    all.push_back(unpack(packed, output));
  }
  return all;
}

}  // namespace holdfast::model
