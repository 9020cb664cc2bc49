#include "model/forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "model/causal_encoder.h"

namespace holdfast::model {
namespace {

Status check_first_tokens(const Packed& packed) {
  for (size_t i = 0; i < packed.batch.sequences(); ++i)
    if (packed.places[packed.batch.starts[i]] % packed.width != 0)
      return fail(Reason::bad_request,
                  "a row's first token is masked, but it is the one the answer is read from");
  return Done{};
}

// What a call of an encoder may bring; anything else would be left out of the answer without a word.
Status check_names(const tensor::Weights& inputs, bool boxes) {
  constexpr std::string_view known[] = {"input_ids", "attention_mask", "token_type_ids", "position_ids"};
  for (const std::string& name : inputs.names())
    if (std::ranges::find(known, name) == std::end(known) && !(boxes && name == "bbox"))
      return fail(Reason::bad_request,
                  fmt::format("this model does not read '{}'", std::string_view(name).substr(0, 60)));
  return Done{};
}

// Where each token's box stands, four numbers each.
Result<std::vector<int64_t>> boxes_of(const tensor::Weights& inputs, const Packed& packed) {
  const tensor::TensorView* view = inputs.find("bbox");
  if (view == nullptr) return std::vector<int64_t>();
  if (view->elements() != packed.height * packed.width * 4 || view->shape.back() != 4)
    return fail(Reason::bad_request, "bbox must have four numbers a token");
  TRY(const std::vector<int64_t> all, tensor::to_integers(*view));
  std::vector<int64_t> out;
  for (size_t place : packed.places)
    out.insert(out.end(), all.begin() + static_cast<ptrdiff_t>(4 * place),
               all.begin() + static_cast<ptrdiff_t>(4 * place + 4));
  return out;
}

// Padding has rows of its own as in transformers, unless the family makes of it what no other token sees.
KeepPadding padding_kept(const EncoderModel& model) {
  const EncoderPlan& plan = model.plan();
  const bool windows = std::any_of(plan.layers.begin(), plan.layers.end(),
                                   [](const EncoderPlan::LayerKind& layer) { return layer.window > 0; });
  if (model.encoder() == nullptr || windows || plan.disentangled || plan.zeroes_padding)
    return KeepPadding::no;
  if (plan.make_layer) return KeepPadding::everywhere;  // It may be a neighbour.
  if (std::any_of(plan.outputs.begin(), plan.outputs.end(),
                  [](const HeadPlan& head) { return head.counts_padding; }))
    return KeepPadding::everywhere;
  return model.reads_first_tokens() ? KeepPadding::where_first : KeepPadding::no;
}

}  // namespace

Result<std::vector<NamedTensor>> forward(const EncoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads) {
  TRY_DONE(check_names(inputs, model.plan().boxes.has_value()));
  TRY(Packed packed,
      pack(
          inputs, model.plan().head == Head::multiple_choice ? 3 : 2,
          [&](auto ids, auto) { return positions_of(model.plan(), ids); }, "", padding_kept(model)));
  if (model.plan().boxes) {
    TRY(packed.batch.boxes, boxes_of(inputs, packed));
  }
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

namespace {

// Columns, or for some families the count of tokens that the mask shows.
std::vector<int64_t> decoder_positions(const DecoderPlan& plan, std::span<const int64_t> ids,
                                       std::span<const int64_t> mask) {
  std::vector<int64_t> out(ids.size());
  int64_t seen = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = plan.takes_mask_positions ? seen : static_cast<int64_t>(i);
    if (mask.empty() || mask[i] != 0) ++seen;
  }
  return out;
}

NamedOutput by_token(std::string name, size_t columns, tensor::Floats data) {
  return {std::move(name), NamedOutput::Rows::tokens, columns, false, std::move(data)};
}

}  // namespace

Result<std::vector<NamedTensor>> forward(const DecoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads, const Adapter* adapter) {
  using HeadKind = DecoderPlan::Head;
  const DecoderPlan& plan = model.plan();
  TRY(const Packed packed,
      pack(inputs, 2, [&](auto ids, auto mask) { return decoder_positions(plan, ids, mask); }));
  std::vector<const Adapter*> adapters;
  if (adapter != nullptr) adapters.assign(packed.batch.sequences(), adapter);
  TRY(Decoder::States states,
      model.decoder().forward(packed.batch, {}, threads, Decoder::Keep::embedded_too, adapters));
  std::vector<NamedTensor> all;
  if (plan.head_kind != HeadKind::language) {
    if (plan.head_kind == HeadKind::sequence_classification && !plan.pad_id && packed.height > 1)
      return fail(Reason::bad_request, "several rows need a pad_token_id in config.json");
    for (const NamedOutput& output : judge_states(model, packed.batch, std::move(states.last), threads))
      all.push_back(unpack(packed, output));
    return all;
  }
  const size_t width = model.decoder().head_inputs(), tokens = packed.batch.tokens();
  tensor::Floats logits(tokens * model.head_width());
  model.run_head(states.last.data(), tokens, logits.data(), threads);
  all.push_back(unpack(packed, by_token("logits", model.head_width(), std::move(logits))));
  all.push_back(unpack(packed, by_token("hidden_states_last", width, std::move(states.last))));
  all.push_back(unpack(packed, by_token("embeddings", plan.width, std::move(states.embedded))));
  return all;
}

}  // namespace holdfast::model
