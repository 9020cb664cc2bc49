#include "model/seq2seq_model.h"

#include <boost/json/object.hpp>

#include "base/check.h"
#include "codec/json.h"
#include "model/encoder_model.h"
#include "model/families/seq2seqs.h"
#include "model/generation_config.h"
#include "model/memory_check.h"
#include "model/steps.h"

namespace holdfast::model {

Result<Seq2SeqModel> Seq2SeqModel::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  TRY(const boost::json::object config, read_config(disk, folder));
  Seq2SeqModel out;
  TRY(out.plan_, plan_seq2seq(config));
  TRY(tensor::Weights weights, tensor::Weights::open(disk, folder));
  TRY_DONE(check_memory(weights, compute));
  out.weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  const WeightReader reader(*out.weights_, out.plan_.prefixes, compute, out.plan_.renames);
  if (out.plan_.signals) {
    TRY(out.signals_, out.plan_.signals(reader));
  } else {
    TRY(Encoder encoder, Encoder::load(out.plan_.encoder, reader));
    out.encoder_ = std::make_unique<Encoder>(std::move(encoder));
  }
  TRY(Decoder decoder, Decoder::load(out.plan_.decoder, reader));
  out.decoder_ = std::make_unique<Decoder>(std::move(decoder));
  TRY_DONE(out.load_head(reader));
  TRY(out.generation_, read_generation_config(disk, folder, config));
  return out;
}

Status Seq2SeqModel::load_head(const WeightReader& reader) {
  const size_t width = plan_.decoder.width;
  switch (plan_.head) {
    case Seq2SeqPlan::Head::none:
      return Done{};
    case Seq2SeqPlan::Head::sequence_classification: {
      TRY(pooled_, reader.linear("classification_head.dense", width, width));
      TRY(head_, reader.linear("classification_head.out_proj", plan_.labels.size(), width));
      return Done{};
    }
    case Seq2SeqPlan::Head::language: {
      const bool own = reader.has(plan_.language_head + ".weight");
      TRY(const std::vector<float> weight,
          reader.floats((own ? plan_.language_head : plan_.decoder.words) + ".weight",
                        {vocabulary(), width}));
      std::vector<float> bias;
      if (!plan_.logits_bias.empty() && reader.has(plan_.logits_bias)) {
        TRY(bias, reader.floats(plan_.logits_bias, {1, vocabulary()}));
      }
      head_ = tensor::make_linear({weight, bias, vocabulary(), width}, reader.compute());
      return Done{};
    }
  }
  return Done{};
}

Result<tensor::Floats> Seq2SeqModel::encode(const TokenBatch& batch, tensor::Threads& threads) const {
  const tensor::PartScope part(step::encoder);
  return encoder_->forward(batch, threads);
}

Result<SignalStates> Seq2SeqModel::encode_signals(const tensor::Weights& inputs,
                                                  tensor::Threads& threads) const {
  const tensor::PartScope part(step::encoder);
  return signals_->encode(inputs, threads);
}

std::vector<Memory> Seq2SeqModel::remember(const TokenBatch& batch, const tensor::Floats& hidden,
                                           tensor::Threads& threads) const {
  std::vector<Memory> out;
  for (size_t i = 0; i < batch.sequences(); ++i)
    out.push_back(
        decoder_->remember(hidden.data() + batch.starts[i] * plan_.encoder.width, batch.length(i), threads));
  return out;
}

std::vector<Memory> Seq2SeqModel::remember(const SignalStates& states, tensor::Threads& threads) const {
  const SignalStates read = signals_->for_decoder(states, threads);
  std::vector<Memory> out;
  for (size_t i = 0; i < read.items(); ++i)
    out.push_back(
        decoder_->remember(read.rows.data() + read.starts[i] * read.width, read.length(i), threads));
  return out;
}

Result<std::vector<Memory>> Seq2SeqModel::remember_signals(const tensor::Weights& inputs,
                                                           tensor::Threads& threads) const {
  CHECK(signals_ != nullptr);
  TRY(const SignalStates states, encode_signals(inputs, threads));
  return remember(states, threads);
}

void Seq2SeqModel::run_head(const float* rows, size_t count, float* scores, tensor::Threads& threads) const {
  const tensor::PartScope part(step::decoder);
  tensor::LinearRun run;
  run.rows = count;
  run.in = rows;
  tensor::Floats pooled(pooled_ != nullptr ? count * plan_.decoder.width : 0);
  if (pooled_ != nullptr) {
    run.out = pooled.data();
    run.activation = tensor::Activation::tanh;
    pooled_->run(run, threads);
    run.in = pooled.data();
    run.activation = tensor::Activation::none;
  }
  run.out = scores;
  head_->run(run, threads);
  if (plan_.decoder.logit_scale != 1.0F)
    for (size_t i = 0; i < count * head_->width(); ++i) scores[i] *= plan_.decoder.logit_scale;
  tensor::step_ended(tensor::WorkWatch::no_layer, step::head);
}

}  // namespace holdfast::model
