#include "model/encoder_model.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <optional>

#include "codec/json.h"
#include "model/causal_encoder.h"
#include "model/families/decoders.h"
#include "model/families/encoders.h"
#include "model/families/seq2seqs.h"
#include "model/first_module.h"
#include "model/folder_json.h"
#include "model/graph_encoder.h"
#include "model/layer_store.h"
#include "model/memory_check.h"
#include "model/seq2seq_model.h"

namespace holdfast::model {
namespace {

constexpr size_t config_bytes_max = 16 << 20;

std::string packed_name(tensor::Compute compute) {
  return "packed." + std::string(tensor::precision_name(compute.precision));
}

// A bare model's pooler may be missing: then so is its output.
bool is_there(const HeadPlan& plan, const WeightReader& reader) {
  return !plan.optional || reader.has(plan.steps.front().linear + ".weight");
}

}  // namespace

EncoderModel::EncoderModel() = default;
EncoderModel::EncoderModel(EncoderModel&&) noexcept = default;
EncoderModel& EncoderModel::operator=(EncoderModel&&) noexcept = default;
EncoderModel::~EncoderModel() = default;

Result<boost::json::object> read_config(io::Disk& disk, const io::Path& folder) {
  TRY(const FirstModule first, first_module(disk, folder));
  if (first.is_table) return config_of_table(disk, first.place);
  TRY(const std::string text, io::read_text(disk, first.place / "config.json", config_bytes_max));
  return parse_python_json(text);
}

Result<EncoderModel> EncoderModel::open(io::Disk& disk, const io::Path& whole, tensor::Compute compute,
                                        const Backend* graphs, Random* keep) {
  TRY(const boost::json::object json, read_config(disk, whole));
  TRY(const FirstModule first, first_module(disk, whole));
  const io::Path& folder = first.place;
  if (first.is_table) keep = nullptr;  // Nothing of it is packed.
  EncoderModel out;
  if (is_seq2seq(json)) {
    TRY(Seq2SeqModel judge, Seq2SeqModel::open(disk, folder, compute));
    if (judge.signals() != nullptr)
      return fail(Reason::model_unsupported, "the model reads images or sounds, not texts");
    if (judge.plan().head == Seq2SeqPlan::Head::language)
      return fail(Reason::model_unsupported,
                  "the model writes texts: its tasks are summarization, translation "
                  "and text2text-generation");
    out.seq2seq_ = std::make_unique<Seq2SeqModel>(std::move(judge));
    return out;
  }
  TRY(const std::string_view type, codec::json_text(json, "model_type"));
  if (find_encoder_family(type) == nullptr && find_decoder_family(type) != nullptr) {
    std::optional<LayerStore> store;
    if (keep != nullptr)
      store.emplace(
          LayerStore{disk, folder / packed_name(compute), *keep, "", LayerStore::Writing::when_opened});
    TRY(CausalEncoder causal, CausalEncoder::open(disk, folder, compute, store ? &*store : nullptr));
    out.causal_ = std::make_unique<CausalEncoder>(std::move(causal));
    return out;
  }
  TRY(EncoderPlan plan, plan_encoder(json));
  if (graphs != nullptr && !tensor::Weights::are_in(disk, folder) && graphs->takes(disk, folder)) {
    TRY(std::unique_ptr<Graph> graph, graphs->open(disk, folder, compute));
    TRY(GraphEncoder encoder, GraphEncoder::create(std::move(plan), std::move(graph)));
    out.graph_ = std::make_unique<GraphEncoder>(std::move(encoder));
    return out;
  }
  TRY(tensor::Weights weights, tensor::Weights::open(disk, folder));
  out.weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  if (keep == nullptr) {
    TRY_DONE(check_memory(*out.weights_, compute));
    TRY_DONE(out.load(plan, compute));
    return out;
  }
  // Bytes that change under a size are not seen, hence this is for copies that nobody changes.
  TRY(const std::string config, io::read_text(disk, folder / "config.json", config_bytes_max));
  out.packed_ = std::make_unique<tensor::PackedLayers>(disk, folder / packed_name(compute),
                                                       packed_key(config, *out.weights_), *keep);
  const bool known = out.packed_->is_mapped();
  if (!known) TRY_DONE(check_memory(*out.weights_, compute));
  TRY_DONE(out.load(plan, compute));
  // From the file that was just written, so that what was packed in memory of its own is given back.
  if (known || !out.packed_->save(tensor::PackedLayers::Lasts::while_power_does).ok()) return out;
  TRY_DONE(out.load(plan, compute));
  out.packed_->forget();
  return out;
}

Status EncoderModel::load(const EncoderPlan& plan, tensor::Compute compute) {
  const WeightReader reader(*weights_, plan.prefixes, compute, plan.renames, packed_.get());
  TRY(Encoder encoder, Encoder::load(plan, reader));
  encoder_ = std::make_unique<Encoder>(std::move(encoder));
  heads_.clear();
  for (const HeadPlan& head : this->plan().outputs) {
    if (!is_there(head, reader)) continue;
    TRY(EncoderHead loaded, EncoderHead::load(head, reader, *encoder_));
    heads_.push_back(std::move(loaded));
  }
  return Done{};
}

Result<tensor::Floats> EncoderModel::hidden(const TokenBatch& batch, tensor::Threads& threads) const {
  if (graph_ != nullptr) return graph_->hidden(batch, threads);
  if (seq2seq_ != nullptr) return seq2seq_->decode_shifted(batch, threads);
  if (causal_ != nullptr) return causal_->hidden(batch, threads);
  return encoder_->forward(batch, threads);
}

const EncoderPlan& EncoderModel::plan() const {
  if (graph_ != nullptr) return graph_->plan();
  if (causal_ != nullptr) return causal_->plan();
  return seq2seq_ != nullptr ? seq2seq_->plan().encoder : encoder_->plan();
}

bool EncoderModel::reads_first_tokens() const {
  return std::any_of(heads_.begin(), heads_.end(),
                     [](const EncoderHead& head) { return head.plan().rows == HeadPlan::Rows::first; });
}

Result<std::vector<NamedOutput>> EncoderModel::judge(const TokenBatch& batch,
                                                     tensor::Threads& threads) const {
  std::vector<NamedOutput> out;
  if (plan().head == Head::none) {
    TRY(tensor::Floats hidden, seq2seq_->decode_shifted(batch, threads));
    out.push_back({"last_hidden_state", NamedOutput::Rows::tokens, plan().width, false, std::move(hidden)});
    return out;
  }
  TRY(tensor::Floats logits, seq2seq_->classify(batch, threads));
  out.push_back({"logits", NamedOutput::Rows::sequences, plan().labels.size(), false, std::move(logits)});
  return out;
}

Result<std::vector<NamedOutput>> EncoderModel::forward(const TokenBatch& batch,
                                                       tensor::Threads& threads) const {
  for (size_t i = 0; i < batch.sequences(); ++i)
    if (batch.length(i) == 0) return fail(Reason::bad_request, "a sequence without tokens has no answer");
  if (graph_ != nullptr) return graph_->forward(batch, threads);
  if (seq2seq_ != nullptr) return judge(batch, threads);
  if (causal_ != nullptr) return causal_->forward(batch, threads);
  tensor::Floats sums;
  TRY(tensor::Floats hidden, encoder_->forward(batch, threads, nullptr, plan().sums_up ? &sums : nullptr));
  std::vector<NamedOutput> out;
  for (const EncoderHead& head : heads_)
    for (NamedOutput& output : head.run(*encoder_, batch, hidden, sums, threads))
      out.push_back(std::move(output));
  if (plan().head == Head::none)
    out.push_back({"last_hidden_state", NamedOutput::Rows::tokens, plan().width, false, std::move(hidden)});
  return out;
}

}  // namespace holdfast::model
