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

// Padding has rows of its own as in transformers, unless the family makes of it what no other token sees.
KeepPadding padding_kept(const EncoderModel& model) {
  const EncoderPlan& plan = model.plan();
  const bool windows = std::any_of(plan.layers.begin(), plan.layers.end(),
                                   [](const EncoderPlan::LayerKind& layer) { return layer.window > 0; });
  if (model.encoder() == nullptr || windows || plan.disentangled || plan.zeroes_padding)
    return KeepPadding::no;
  if (std::any_of(plan.outputs.begin(), plan.outputs.end(),
                  [](const HeadPlan& head) { return head.counts_padding; }))
    return KeepPadding::everywhere;
  return model.reads_first_tokens() ? KeepPadding::where_first : KeepPadding::no;
}

}  // namespace

Result<std::vector<NamedTensor>> forward(const EncoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads) {
  TRY(const Packed packed,
      pack(
          inputs, model.plan().head == Head::multiple_choice ? 3 : 2,
          [&](auto ids, auto) { return positions_of(model.plan(), ids); }, "", padding_kept(model)));
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

// The packed row that each sequence's classification is read from.
Result<std::vector<size_t>> last_rows(const DecoderPlan& plan, const Packed& packed) {
  std::vector<size_t> out;
  for (size_t i = 0; i < packed.batch.sequences(); ++i) {
    out.push_back(judged_row(plan, packed.batch, i));
  }
  if (!plan.pad_id && packed.height > 1)
    return fail(Reason::bad_request, "several rows need a pad_token_id in config.json");
  return out;
}

NamedOutput by_token(std::string name, size_t columns, tensor::Floats data) {
  return {std::move(name), NamedOutput::Rows::tokens, columns, false, std::move(data)};
}

}  // namespace

Result<std::vector<NamedTensor>> forward(const DecoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads) {
  using Head = DecoderPlan::Head;
  const DecoderPlan& plan = model.plan();
  TRY(const Packed packed,
      pack(inputs, 2, [&](auto ids, auto mask) { return decoder_positions(plan, ids, mask); }));
  TRY(Decoder::States states,
      model.decoder().forward(packed.batch, {}, threads, Decoder::Keep::embedded_too));
  const size_t width = model.decoder().head_inputs(), tokens = packed.batch.tokens();
  std::vector<NamedTensor> all;
  if (plan.head_kind == Head::none) {
    all.push_back(unpack(packed, by_token("last_hidden_state", width, std::move(states.last))));
    return all;
  }
  if (plan.head_kind == Head::sequence_classification) {
    TRY(const std::vector<size_t> rows, last_rows(plan, packed));
    tensor::Floats picked(rows.size() * width), logits(rows.size() * model.head_width());
    for (size_t i = 0; i < rows.size(); ++i)
      std::copy_n(states.last.data() + rows[i] * width, width, picked.data() + i * width);
    model.run_head(picked.data(), rows.size(), logits.data(), threads);
    all.push_back(unpack(
        packed, {"logits", NamedOutput::Rows::sequences, model.head_width(), false, std::move(logits)}));
    return all;
  }
  tensor::Floats logits(tokens * model.head_width());
  model.run_head(states.last.data(), tokens, logits.data(), threads);
  if (plan.head_kind == Head::question_answering) {
    for (size_t column = 0; column < 2; ++column) {
      tensor::Floats one(tokens);
      for (size_t i = 0; i < tokens; ++i) one.data()[i] = logits.data()[2 * i + column];
      all.push_back(unpack(packed, {column == 0 ? "start_logits" : "end_logits", NamedOutput::Rows::tokens, 1,
                                    true, std::move(one)}));
    }
    return all;
  }
  all.push_back(unpack(packed, by_token("logits", model.head_width(), std::move(logits))));
  if (plan.head_kind != Head::language) return all;
  all.push_back(unpack(packed, by_token("hidden_states_last", width, std::move(states.last))));
  all.push_back(unpack(packed, by_token("embeddings", plan.width, std::move(states.embedded))));
  return all;
}

}  // namespace holdfast::model
