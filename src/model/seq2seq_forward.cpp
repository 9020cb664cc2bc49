// Encoder-decoder models: one call on padded tensors.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "model/seq2seq_model.h"

namespace holdfast::model {
namespace {

std::vector<int64_t> columns(std::span<const int64_t> ids) {
  std::vector<int64_t> out(ids.size());
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// Computed positions count the tokens that are no padding, which has none itself. Of one call: what is
// written a token at a time counts all that came before, as in transformers.
std::vector<int64_t> decoder_positions(const DecoderPlan& plan, std::span<const int64_t> ids) {
  std::vector<int64_t> out = columns(ids);
  if (plan.sinusoid != Sinusoid::fairseq || !plan.pad_id) return out;
  int64_t count = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = count;
    if (ids[i] != plan.pad_id) ++count;
  }
  return out;
}

// The encoder's ids, shifted by one, padding included.
Result<Packed> shifted(const Seq2SeqPlan& plan, const tensor::Weights& inputs) {
  const tensor::TensorView* view = inputs.find("input_ids");
  TRY(std::vector<int64_t> ids, tensor::to_integers(*view));
  Packed out;
  out.height = view->shape[0];
  out.width = view->shape[1];
  for (size_t row = 0; row < out.height && out.width > 0; ++row) {
    const std::span<const int64_t> all = std::span(ids).subspan(row * out.width, out.width);
    int64_t first = plan.start_id.value_or(0);
    if (plan.shift == Seq2SeqPlan::Shift::behind_last) {
      const auto count = std::count_if(all.begin(), all.end(), [&](int64_t id) { return id != plan.pad_id; });
      first = all[static_cast<size_t>(std::max<int64_t>(count - 1, 0))];
    }
    for (size_t i = 0; i < out.width; ++i) {
      const auto column = static_cast<int64_t>(i);
      out.batch.add(i == 0 ? first : all[i - 1], 0, column);
      out.places.push_back(row * out.width + i);
    }
    out.batch.end_sequence();
    out.rows.push_back(row);
  }
  return out;
}

Result<Packed> decoder_inputs(const Seq2SeqPlan& plan, const tensor::Weights& inputs) {
  if (inputs.find("decoder_input_ids") == nullptr && plan.shift != Seq2SeqPlan::Shift::none)
    return shifted(plan, inputs);
  return pack(inputs, 2, [&](auto ids, auto) { return decoder_positions(plan.decoder, ids); }, "decoder_");
}

// Where each row's last end token stands in the decoder's batch, which begins every row at its first column.
Result<std::vector<size_t>> end_rows(const Seq2SeqPlan& plan, const tensor::Weights& inputs,
                                     const Packed& decoder) {
  const tensor::TensorView* view = inputs.find("input_ids");
  TRY(const std::vector<int64_t> ids, tensor::to_integers(*view));
  const size_t width = view->shape[1];
  std::vector<size_t> out;
  for (size_t row : decoder.rows) {
    const size_t sequence = out.size();
    size_t at = width;
    while (at > 0 && ids[row * width + at - 1] != plan.end_id) --at;
    if (at == 0 || at > decoder.batch.length(sequence))
      return fail(Reason::bad_request, "a row has no end token, but it is the one the answer is read from");
    out.push_back(decoder.batch.starts[sequence] + at - 1);
  }
  return out;
}

// Items of one length after another, shorter ones filled up with zeros.
NamedTensor padded(std::string name, const SignalStates& states) {
  size_t longest = 0;
  for (size_t i = 0; i < states.items(); ++i) longest = std::max(longest, states.length(i));
  NamedTensor out{std::move(name), {states.items(), longest, states.width}, {}, false};
  out.data.assign(states.items() * longest * states.width, 0.0F);
  for (size_t i = 0; i < states.items(); ++i)
    std::copy_n(states.rows.data() + states.starts[i] * states.width, states.length(i) * states.width,
                out.data.data() + i * longest * states.width);
  return out;
}

}  // namespace

Result<tensor::Floats> Seq2SeqModel::decode_shifted(const TokenBatch& read, tensor::Threads& threads) const {
  TokenBatch written;
  for (size_t i = 0; i < read.sequences(); ++i) {
    const size_t first = read.starts[i], count = read.length(i);
    const int64_t begin = plan_.shift == Seq2SeqPlan::Shift::behind_last ? read.ids[first + count - 1]
                                                                         : plan_.start_id.value_or(0);
    for (size_t at = 0; at < count; ++at)
      written.add(at == 0 ? begin : read.ids[first + at - 1], 0, static_cast<int64_t>(at));
    written.end_sequence();
  }
  TRY(const tensor::Floats hidden, encode(read, threads));
  const std::vector<Memory> memories = remember(read, hidden, threads);
  std::vector<const Memory*> borrowed;
  for (const Memory& memory : memories) borrowed.push_back(&memory);
  TRY(Decoder::States states, decoder_->forward(written, {}, threads, Decoder::Keep::last, {}, borrowed));
  return std::move(states.last);
}

Result<tensor::Floats> Seq2SeqModel::classify(const TokenBatch& read, tensor::Threads& threads) const {
  const size_t width = plan_.decoder.width;
  TRY(const tensor::Floats states, decode_shifted(read, threads));
  tensor::Floats picked(read.sequences() * width), out(read.sequences() * plan_.labels.size());
  for (size_t i = 0; i < read.sequences(); ++i) {
    size_t at = read.starts[i + 1];
    while (at > read.starts[i] && read.ids[at - 1] != plan_.end_id) --at;
    if (at == read.starts[i])
      return fail(Reason::bad_request, "a text has no end token, but it is the one the answer is read from");
    std::copy_n(states.data() + (at - 1) * width, width, picked.data() + i * width);
  }
  run_head(picked.data(), read.sequences(), out.data(), threads);
  return out;
}

Result<std::vector<NamedTensor>> forward(const Seq2SeqModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads) {
  const Seq2SeqPlan& plan = model.plan();
  Packed read;
  SignalStates heard;
  tensor::Floats hidden;
  std::vector<Memory> memories;
  TRY(const Packed written, decoder_inputs(plan, inputs));
  if (model.signals() != nullptr) {
    TRY(heard, model.encode_signals(inputs, threads));
    if (heard.items() != written.height || written.rows.size() != written.height)
      return fail(Reason::bad_request, "each row has something to read and something written");
    memories = model.remember(heard, threads);
  } else {
    TRY(read, pack(inputs, 2, [&](auto ids, auto) { return positions_of(plan.encoder, ids); }));
    if (read.height != written.height || read.rows.size() != read.height ||
        written.rows.size() != read.height)
      return fail(Reason::bad_request, "each row has something to read and something written");
    TRY(hidden, model.encode(read.batch, threads));
    memories = model.remember(read.batch, hidden, threads);
  }
  std::vector<const Memory*> borrowed;
  for (const Memory& memory : memories) borrowed.push_back(&memory);
  TRY(Decoder::States states,
      model.decoder().forward(written.batch, {}, threads, Decoder::Keep::last, {}, borrowed));
  const size_t width = plan.decoder.width;
  std::vector<NamedTensor> all;
  const auto by_token = [](std::string name, size_t columns, tensor::Floats data) {
    return NamedOutput{std::move(name), NamedOutput::Rows::tokens, columns, false, std::move(data)};
  };
  switch (plan.head) {
    case Seq2SeqPlan::Head::none:
      all.push_back(unpack(written, by_token("last_hidden_state", width, std::move(states.last))));
      break;
    case Seq2SeqPlan::Head::language: {
      tensor::Floats logits(written.batch.tokens() * model.vocabulary());
      model.run_head(states.last.data(), written.batch.tokens(), logits.data(), threads);
      all.push_back(unpack(written, by_token("logits", model.vocabulary(), std::move(logits))));
      break;
    }
    case Seq2SeqPlan::Head::sequence_classification: {
      TRY(const std::vector<size_t> rows, end_rows(plan, inputs, written));
      const size_t labels = plan.labels.size();
      tensor::Floats picked(rows.size() * width), logits(rows.size() * labels);
      for (size_t i = 0; i < rows.size(); ++i)
        std::copy_n(states.last.data() + rows[i] * width, width, picked.data() + i * width);
      model.run_head(picked.data(), rows.size(), logits.data(), threads);
      all.push_back(
          unpack(written, {"logits", NamedOutput::Rows::sequences, labels, false, std::move(logits)}));
      break;
    }
  }
  if (model.signals() != nullptr)
    all.push_back(padded("encoder_last_hidden_state", heard));
  else
    all.push_back(unpack(read, by_token("encoder_last_hidden_state", plan.encoder.width, std::move(hidden))));
  return all;
}

}  // namespace holdfast::model
