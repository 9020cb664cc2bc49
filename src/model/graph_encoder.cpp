#include "model/graph_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::model {
namespace {

constexpr size_t sequences_max = 32;  // Of one call of the graph.

bool takes(const Graph& graph, std::string_view name) {
  const std::vector<std::string> inputs = graph.inputs();
  return std::find(inputs.begin(), inputs.end(), name) != inputs.end();
}

// A part of a batch as rows of one width.
struct Padded {
  size_t height = 0, width = 0;
  std::vector<int64_t> ids, mask, types, positions;
};

Padded pad(const TokenBatch& batch, size_t first, size_t last, int64_t pad_id) {
  Padded out{.height = last - first, .width = 0, .ids = {}, .mask = {}, .types = {}, .positions = {}};
  for (size_t i = first; i < last; ++i) out.width = std::max(out.width, batch.length(i));
  out.ids.assign(out.height * out.width, pad_id);
  out.mask.assign(out.ids.size(), 0);
  out.types.assign(out.ids.size(), 0);
  out.positions.assign(out.ids.size(), 0);
  for (size_t i = first; i < last; ++i)
    for (size_t k = 0; k < batch.length(i); ++k) {
      const size_t from = batch.starts[i] + k, to = (i - first) * out.width + k;
      out.ids[to] = batch.ids[from];
      out.mask[to] = 1;
      out.types[to] = batch.types[from];
      out.positions[to] = batch.positions[from];
    }
  return out;
}

tensor::Weights views(const Graph& graph, const Padded& padded) {
  std::vector<std::pair<std::string, tensor::TensorView>> out;
  const auto add = [&](const char* name, const std::vector<int64_t>& numbers) {
    if (takes(graph, name))
      out.emplace_back(
          name, tensor::TensorView{
                    tensor::Dtype::i64, {padded.height, padded.width}, std::as_bytes(std::span(numbers))});
  };
  add("input_ids", padded.ids);
  add("attention_mask", padded.mask);
  add("token_type_ids", padded.types);
  add("position_ids", padded.positions);
  return tensor::Weights::borrowed(std::move(out));
}

}  // namespace

Result<GraphEncoder::Wanted> GraphEncoder::find(Wanted wanted,
                                                std::initializer_list<std::string_view> names) const {
  const std::vector<std::string> outputs = graph_->outputs();
  for (const std::string_view name : names)
    if (std::find(outputs.begin(), outputs.end(), name) != outputs.end()) {
      wanted.output = name;
      return wanted;
    }
  return fail(Reason::model_unsupported, fmt::format("the graph has no output '{}'", *names.begin()));
}

Result<GraphEncoder> GraphEncoder::create(EncoderPlan plan, std::unique_ptr<Graph> graph) {
  if (!takes(*graph, "input_ids"))
    return fail(Reason::model_unsupported, "the graph takes no input_ids, so it is no encoder of texts");
  GraphEncoder out(std::move(plan), std::move(graph));
  using Rows = NamedOutput::Rows;
  const auto add = [&](Wanted wanted, std::initializer_list<std::string_view> names) -> Status {
    TRY(Wanted found, out.find(std::move(wanted), names));
    out.outputs_.push_back(std::move(found));
    return Done{};
  };
  const size_t labels = out.plan_.labels.size();
  switch (out.plan_.head) {
    case Head::none:
      TRY_DONE(add({"last_hidden_state", "", Rows::tokens, false, out.plan_.width},
                   {"last_hidden_state", "token_embeddings"}));
      return out;
    case Head::sequence_classification:
      TRY_DONE(add({"logits", "", Rows::sequences, false, labels}, {"logits"}));
      return out;
    case Head::token_classification:
      TRY_DONE(add({"logits", "", Rows::tokens, false, labels}, {"logits"}));
      return out;
    case Head::fill_mask:
      TRY_DONE(add({"logits", "", Rows::tokens, false, out.plan_.vocabulary}, {"logits"}));
      return out;
    case Head::question_answering:
      TRY_DONE(add({"start_logits", "", Rows::tokens, true, 1}, {"start_logits"}));
      TRY_DONE(add({"end_logits", "", Rows::tokens, true, 1}, {"end_logits"}));
      return out;
    case Head::multiple_choice:
    case Head::pre_training:
    case Head::next_sentence:
      break;
  }
  return fail(Reason::model_unsupported, "graphs with this head are not run by task; `forward` runs them");
}

Status GraphEncoder::run_part(const std::vector<Wanted>& wanted, const TokenBatch& batch, size_t first,
                              size_t last, std::vector<NamedOutput>& out, tensor::Threads& threads) const {
  const Padded padded = pad(batch, first, last, plan_.pad_id);
  TRY(const std::vector<GraphTensor> answered, graph_->run(views(*graph_, padded), threads));
  for (size_t o = 0; o < wanted.size(); ++o) {
    const auto found = std::find_if(answered.begin(), answered.end(),
                                    [&](const GraphTensor& one) { return one.name == wanted[o].output; });
    const bool by_token = wanted[o].rows == NamedOutput::Rows::tokens;
    std::vector<uint64_t> shape = {padded.height};
    if (by_token) shape.push_back(padded.width);
    if (!wanted[o].flat) shape.push_back(wanted[o].columns);
    if (found == answered.end() || found->shape != shape)
      return fail(Reason::model_unsupported,
                  fmt::format("the graph's '{}' has another shape than config.json says", wanted[o].output));
    TRY(const std::vector<float> numbers, tensor::to_floats({found->dtype, found->shape, found->bytes}));
    const size_t columns = wanted[o].columns;
    for (size_t i = first; i < last; ++i) {
      const size_t rows = by_token ? batch.length(i) : 1;
      const size_t into = by_token ? batch.starts[i] : i;
      const size_t from = (i - first) * (by_token ? padded.width : 1);
      std::copy_n(numbers.data() + from * columns, rows * columns, out[o].data.data() + into * columns);
    }
  }
  return Done{};
}

Result<std::vector<NamedOutput>> GraphEncoder::collect(const std::vector<Wanted>& wanted,
                                                       const TokenBatch& batch,
                                                       tensor::Threads& threads) const {
  std::vector<NamedOutput> out;
  for (const Wanted& one : wanted) {
    const size_t rows = one.rows == NamedOutput::Rows::tokens ? batch.tokens() : batch.sequences();
    out.push_back({one.name, one.rows, one.columns, one.flat, tensor::Floats(rows * one.columns)});
  }
  for (size_t first = 0; first < batch.sequences(); first += sequences_max)
    TRY_DONE(
        run_part(wanted, batch, first, std::min(first + sequences_max, batch.sequences()), out, threads));
  return out;
}

Result<std::vector<NamedOutput>> GraphEncoder::forward(const TokenBatch& batch,
                                                       tensor::Threads& threads) const {
  return collect(outputs_, batch, threads);
}

Result<tensor::Floats> GraphEncoder::hidden(const TokenBatch& batch, tensor::Threads& threads) const {
  TRY(const Wanted wanted, find({"last_hidden_state", "", NamedOutput::Rows::tokens, false, plan_.width},
                                {"last_hidden_state", "token_embeddings"}));
  TRY(std::vector<NamedOutput> outputs, collect({wanted}, batch, threads));
  return std::move(outputs.front().data);
}

}  // namespace holdfast::model
