#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <variant>

#include "model/decoder_model.h"
#include "model/forward.h"
#include "model/seq2seq_model.h"
#include "model/signal_model.h"

namespace holdfast::model {

// Whether a folder's config.json names a decoder with a language head.
Result<bool> writes_text(io::Disk& disk, const io::Path& folder);

// A model folder of any family we have, or a GGUF file. Safe from any thread.
class AnyModel {
 public:
  // `adapter`: a place of one (Adapter::open) that changes all answers; empty: none. Only of a decoder.
  static Result<AnyModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                               const io::Path& adapter = {});

  const EncoderModel* encoder() const { return std::get_if<EncoderModel>(&model_); }
  const DecoderModel* decoder() const { return std::get_if<DecoderModel>(&model_); }
  const Seq2SeqModel* seq2seq() const { return std::get_if<Seq2SeqModel>(&model_); }
  const SignalModel* signal() const {
    const auto* owned = std::get_if<std::unique_ptr<SignalModel>>(&model_);
    return owned == nullptr ? nullptr : owned->get();
  }

  // One call on tensors under transformers' argument names.
  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs, tensor::Threads& threads) const;
  struct Sequences {
    std::vector<std::vector<TokenId>> ids;  // Of one length.
    std::vector<float> scores;              // Of beam search; else empty.
  };
  // transformers' generate with the settings object of a golden case alone: the folder's
  // generation_config.json is not asked, so that nothing ends a row but what the settings say.
  Result<Sequences> generate(const tensor::Weights& inputs, const boost::json::object& settings,
                             tensor::Threads& threads) const;

 private:
  Result<Sequences> generate_from_encoder(const tensor::Weights& inputs, const boost::json::object& settings,
                                          tensor::Threads& threads) const;

  using Kinds = std::variant<EncoderModel, DecoderModel, Seq2SeqModel, std::unique_ptr<SignalModel>>;
  explicit AnyModel(Kinds model) : model_(std::move(model)) {}

  Kinds model_;
  std::shared_ptr<const Adapter> adapter_;
};

}  // namespace holdfast::model
