#include "model/causal_encoder.h"

#include <algorithm>

namespace holdfast::model {
namespace {

Head head_of(DecoderPlan::Head kind) {
  switch (kind) {
    case DecoderPlan::Head::sequence_classification:
      return Head::sequence_classification;
    case DecoderPlan::Head::token_classification:
      return Head::token_classification;
    case DecoderPlan::Head::question_answering:
      return Head::question_answering;
    case DecoderPlan::Head::none:
    case DecoderPlan::Head::language:
      return Head::none;
  }
  return Head::none;
}

EncoderPlan seen_from_outside(const DecoderModel& model) {
  const DecoderPlan& plan = model.plan();
  EncoderPlan out;
  out.family = plan.family;
  out.width = out.embedding_width = model.decoder().head_inputs();
  out.heads = plan.heads;
  out.key_heads = plan.key_heads;
  out.head_width = plan.head_width;
  out.inner = plan.inner;
  out.vocabulary = plan.vocabulary;
  out.positions = plan.positions;
  out.pad_id = plan.pad_id.value_or(0);
  out.layers.resize(plan.layers.size());
  out.head = head_of(plan.head_kind);
  out.labels = plan.labels;
  return out;
}

// The packed row that a sequence's classification is read from.
size_t judged_row(const DecoderPlan& plan, const TokenBatch& batch, size_t sequence) {
  size_t row = batch.starts[sequence + 1] - 1;
  if (plan.pad_id)
    while (row > batch.starts[sequence] && batch.ids[row] == *plan.pad_id) --row;
  return row;
}

}  // namespace

std::vector<NamedOutput> judge_states(const DecoderModel& model, const TokenBatch& batch,
                                      tensor::Floats states, tensor::Threads& threads) {
  using Rows = NamedOutput::Rows;
  const Head head = head_of(model.plan().head_kind);
  const size_t width = model.decoder().head_inputs();
  std::vector<NamedOutput> out;
  if (head == Head::none) {
    out.push_back({"last_hidden_state", Rows::tokens, width, false, std::move(states)});
    return out;
  }
  const bool by_sequence = head == Head::sequence_classification;
  if (by_sequence) {
    tensor::Floats picked(batch.sequences() * width);
    for (size_t i = 0; i < batch.sequences(); ++i)
      std::copy_n(states.data() + judged_row(model.plan(), batch, i) * width, width,
                  picked.data() + i * width);
    states = std::move(picked);
  }
  const size_t rows = by_sequence ? batch.sequences() : batch.tokens(), columns = model.head_width();
  tensor::Floats logits(rows * columns);
  model.run_head(states.data(), rows, logits.data(), threads);
  if (head != Head::question_answering) {
    out.push_back(
        {"logits", by_sequence ? Rows::sequences : Rows::tokens, columns, false, std::move(logits)});
    return out;
  }
  for (size_t column = 0; column < 2; ++column) {
    tensor::Floats one(rows);
    for (size_t i = 0; i < rows; ++i) one.data()[i] = logits.data()[2 * i + column];
    out.push_back({column == 0 ? "start_logits" : "end_logits", Rows::tokens, 1, true, std::move(one)});
  }
  return out;
}

Result<CausalEncoder> CausalEncoder::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                          const LayerStore* store) {
  TRY(DecoderModel model, DecoderModel::open(disk, folder, compute, DecoderModel::Adapters::none, store));
  EncoderPlan plan = seen_from_outside(model);
  return CausalEncoder(std::move(model), std::move(plan));
}

Result<tensor::Floats> CausalEncoder::hidden(const TokenBatch& batch, tensor::Threads& threads) const {
  TRY(Decoder::States states, model_.decoder().forward(batch, {}, threads));
  return std::move(states.last);
}

Result<std::vector<NamedOutput>> CausalEncoder::forward(const TokenBatch& batch,
                                                        tensor::Threads& threads) const {
  TRY(tensor::Floats states, hidden(batch, threads));
  return judge_states(model_, batch, std::move(states), threads);
}

}  // namespace holdfast::model
