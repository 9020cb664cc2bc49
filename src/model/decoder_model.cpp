#include "model/decoder_model.h"

#include <boost/json/object.hpp>
#include <cmath>

#include "codec/json.h"
#include "model/encoder_model.h"
#include "model/families/decoders.h"
#include "model/generation_config.h"
#include "model/gguf_weights.h"
#include "model/memory_check.h"
#include "model/packed_weights.h"
#include "model/steps.h"

namespace holdfast::model {

Result<DecoderModel> DecoderModel::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                        Adapters adapters, const LayerStore* store) {
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(DecoderPlan plan, plan_decoder(config));
  plan.gates_apart = adapters == Adapters::may_come;
  TRY(tensor::Weights weights, tensor::Weights::open(disk, folder));
  DecoderModel out;
  out.weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  TRY(out.blocks_, PackedBlocks::read(*out.weights_, plan.prefixes));
  std::string key;
  if (store != nullptr)
    key = packed_key(codec::to_text(config) + (plan.gates_apart ? " apart" : ""), *out.weights_);
  TRY_DONE(out.load(plan, compute, store, std::move(key)));
  // Layers hold copies of their own; tables are read in place.
  const auto is_table = [&](const std::string& name) {
    return out.blocks_->find(name + ".weight") != nullptr;
  };
  if (out.blocks_ != nullptr && !is_table(plan.words) && !is_table(plan.position_table)) out.blocks_.reset();
  TRY(out.generation_, read_generation_config(disk, folder, config));
  return out;
}

Result<DecoderModel> DecoderModel::open_gguf(io::Disk& disk, const io::Path& file, tensor::Compute compute,
                                             Adapters adapters, const LayerStore* store) {
  TRY(std::unique_ptr<GgufWeights> blocks, GgufWeights::open(disk, file));
  DecoderPlan plan = blocks->plan();
  plan.gates_apart = adapters == Adapters::may_come;
  std::string key;
  if (store != nullptr) {
    TRY(const boost::json::object config, config_of_gguf(blocks->file()));
    key = packed_key(codec::to_text(config) + (plan.gates_apart ? " apart" : ""), blocks->file());
  }
  TRY(const auto end, blocks->file().integer_if("tokenizer.ggml.eos_token_id"));
  DecoderModel out;
  out.converted_ = std::make_unique<const ConvertedBase>(blocks->converted());
  out.weights_ = std::make_unique<tensor::Weights>();
  out.blocks_ = std::move(blocks);
  TRY_DONE(out.load(plan, compute, store, std::move(key)));
  if (end && *end >= 0) out.generation_.end_tokens = {static_cast<TokenId>(*end)};
  return out;
}

Result<Adapter> DecoderModel::open_adapter(io::Disk& disk, const io::Path& place) const {
  const tensor::Compute compute = decoder_->compute();
  std::unique_ptr<BlockSource> again;  // Packed blocks that nothing was left to read of.
  if (blocks_ == nullptr) {
    TRY(again, PackedBlocks::read(*weights_, plan().prefixes));
  }
  const BlockSource* blocks = blocks_ != nullptr ? blocks_.get() : again.get();
  return Adapter::open(disk, place, {plan(), converted_.get()},
                       blocks == nullptr       ? WeightReader(*weights_, plan().prefixes, compute)
                       : converted_ != nullptr ? WeightReader(*weights_, *blocks, compute)
                                               : WeightReader(*weights_, plan().prefixes, *blocks, compute));
}

Status DecoderModel::load(const DecoderPlan& plan, tensor::Compute compute, const LayerStore* store,
                          std::string key) {
  if (store != nullptr)
    packed_ = std::make_unique<tensor::PackedLayers>(store->disk, store->file,
                                                     std::move(key) + "\n" + store->source, store->random);
  const bool known = packed_ != nullptr && packed_->is_mapped();
  if (!known) TRY_DONE(check_memory(*weights_, compute));
  TRY_DONE(load(plan, compute));
  if (known || store == nullptr || store->writing != LayerStore::Writing::when_opened) return Done{};
  // From the file that was just written, so that what was packed in memory of its own is given back.
  if (!packed_->save(tensor::PackedLayers::Lasts::while_power_does).ok()) return Done{};
  TRY_DONE(load(plan, compute));
  packed_->forget();
  return Done{};
}

Status DecoderModel::keep_layers() const {
  return packed_ == nullptr || packed_->is_mapped() ? Done{} : packed_->save();
}

void DecoderModel::settle() const {
  // Mapped pages can be given up and read again, one's own cannot: as much again is left to others.
  if (packed_ != nullptr && check_memory(2 * packed_->mapped_bytes()).ok()) packed_->settle();
}

Status DecoderModel::load(const DecoderPlan& plan, tensor::Compute compute) {
  const WeightReader reader = blocks_ != nullptr
                                  ? WeightReader(*weights_, plan.prefixes, *blocks_, compute, packed_.get())
                                  : WeightReader(*weights_, plan.prefixes, compute, {}, packed_.get());
  TRY(Decoder decoder, Decoder::load(plan, reader));
  decoder_ = std::make_unique<Decoder>(std::move(decoder));
  return load_head(reader);
}

Status DecoderModel::load_head(const WeightReader& reader) {
  using HeadKind = DecoderPlan::Head;
  const size_t inputs = decoder_->head_inputs(), labels = plan().labels.size();
  if (plan().before_head && plan().head_kind != HeadKind::none) {
    const DecoderPlan::HeadStep& step = *plan().before_head;
    TRY(before_head_, reader.linear(step.linear, inputs, inputs, step.bias));
    TRY(before_head_norm_,
        RowScale::load(reader, step.norm, inputs, RowScale::Kind::layer, plan().epsilon, plan().norm_bias));
  }
  switch (plan().head_kind) {
    case HeadKind::none:
      return Done{};
    case HeadKind::language: {
      // GPT-2's Conv1D order is of layers only: the head is stored as everywhere.
      if (reader.stays_in_blocks((reader.has(plan().head + ".weight") ? plan().head : plan().words) +
                                 ".weight")) {
        TRY(head_, reader.block_linear(reader.has(plan().head + ".weight") ? plan().head : plan().words,
                                       plan().vocabulary, inputs, plan().head_bias));
        return Done{};
      }
      const bool own = reader.has(plan().head + ".weight") || !plan().tied;
      const std::string& name = own ? plan().head : plan().words;
      TRY(head_, reader.kept("head " + name, {plan().vocabulary, inputs}, [&]() -> Result<LinearLayer> {
        TRY(const std::vector<float> weight, reader.floats(name + ".weight", {plan().vocabulary, inputs}));
        std::vector<float> bias;
        if (plan().head_bias == Bias::with) {
          TRY(bias, reader.floats(plan().head + ".bias", {plan().vocabulary}));
        }
        return tensor::make_linear({weight, bias, plan().vocabulary, inputs}, reader.compute());
      }));
      return Done{};
    }
    case HeadKind::sequence_classification: {
      const bool score = reader.has("score.weight");
      const bool biased = plan().before_head && plan().before_head->bias == Bias::with;
      TRY(head_,
          reader.linear(score ? "score" : "classifier", labels, inputs, biased ? Bias::with : Bias::without));
      return Done{};
    }
    case HeadKind::token_classification: {
      const bool score = reader.has("score.weight");
      TRY(head_, reader.linear(score ? "score" : "classifier", labels, inputs, Bias::if_there));
      return Done{};
    }
    case HeadKind::question_answering: {
      TRY(head_, reader.linear("qa_outputs", 2, inputs));
      return Done{};
    }
  }
  return Done{};
}

void DecoderModel::run_head(const float* rows, size_t count, float* logits, tensor::Threads& threads) const {
  tensor::Floats stepped;
  if (before_head_ != nullptr) {
    stepped = apply(*before_head_, rows, count, threads, plan().before_head->activation);
    before_head_norm_->run(stepped.data(), count);
    rows = stepped.data();
  }
  tensor::LinearRun run;
  run.in = rows;
  run.out = logits;
  run.rows = count;
  head_->run(run, threads);
  const bool language = plan().head_kind == DecoderPlan::Head::language;
  const size_t all = language ? count * head_width() : 0;
  if (plan().logit_scale != 1.0F)
    for (size_t i = 0; i < all; ++i) logits[i] *= plan().logit_scale;
  if (plan().logit_cap > 0)
    for (size_t i = 0; i < all; ++i) logits[i] = plan().logit_cap * std::tanh(logits[i] / plan().logit_cap);
  tensor::step_ended(tensor::WorkWatch::no_layer, step::head);
}

}  // namespace holdfast::model
