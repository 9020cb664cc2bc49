#include "model/any_model.h"

#include <boost/json/object.hpp>

#include "codec/json.h"
#include "model/decoder_rows.h"
#include "model/families/decoders.h"
#include "model/generation/generate.h"

namespace holdfast::model {
namespace {

// Rows of a batch; padding is what the mask leaves out at the left.
Result<std::vector<Prompt>> read_prompts(const tensor::Weights& inputs) {
  const tensor::TensorView* view = inputs.find("input_ids");
  if (view == nullptr || view->shape.size() != 2)
    return fail(Reason::bad_request, "input_ids must have two dimensions");
  const uint64_t rows = view->shape[0], width = view->shape[1];
  TRY(const std::vector<int64_t> ids, tensor::to_integers(*view));
  std::vector<int64_t> mask(ids.size(), 1);
  if (const tensor::TensorView* given = inputs.find("attention_mask"); given != nullptr) {
    if (given->shape != view->shape)
      return fail(Reason::bad_request, "attention_mask has another shape than input_ids");
    TRY(mask, tensor::to_integers(*given));
  }
  std::vector<Prompt> out(rows);
  for (uint64_t row = 0; row < rows; ++row) {
    bool begun = false;
    for (uint64_t i = row * width; i < (row + 1) * width; ++i) {
      if (ids[i] < 0 || ids[i] > UINT32_MAX) return fail(Reason::bad_request, "an id is out of range");
      if (mask[i] == 0 && begun)
        return fail(Reason::bad_request, "prompts to go on from are padded at the left");
      begun = begun || mask[i] != 0;
      if (!begun) ++out[row].padding;
      out[row].tokens.push_back(static_cast<TokenId>(ids[i]));
    }
  }
  return out;
}

}  // namespace

Result<bool> writes_text(io::Disk& disk, const io::Path& folder) {
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  if (find_decoder_family(type) == nullptr) return false;
  TRY(const DecoderPlan plan, plan_decoder(config));
  return plan.head_kind == DecoderPlan::Head::language;
}

Result<AnyModel> AnyModel::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  if (folder.extension() == ".gguf") {
    TRY(DecoderModel model, DecoderModel::open_gguf(disk, folder, compute));
    return AnyModel(std::move(model));
  }
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  if (find_decoder_family(type) != nullptr) {
    TRY(DecoderModel model, DecoderModel::open(disk, folder, compute));
    return AnyModel(std::move(model));
  }
  TRY(EncoderModel model, EncoderModel::open(disk, folder, compute));
  return AnyModel(std::move(model));
}

Result<std::vector<NamedTensor>> AnyModel::forward(const tensor::Weights& inputs,
                                                   tensor::Threads& threads) const {
  if (const DecoderModel* model = decoder(); model != nullptr)
    return holdfast::model::forward(*model, inputs, threads);
  return holdfast::model::forward(*encoder(), inputs, threads);
}

Result<AnyModel::Sequences> AnyModel::generate(const tensor::Weights& inputs,
                                               const boost::json::object& settings,
                                               tensor::Threads& threads) const {
  const DecoderModel* model = decoder();
  if (model == nullptr || model->plan().head_kind != DecoderPlan::Head::language)
    return fail(Reason::model_unsupported, "the model does not generate text");
  TRY(const GenerationSettings wanted, parse_generation_settings(settings));
  TRY(const std::vector<Prompt> prompts, read_prompts(inputs));
  DecoderRows rows(*model, threads);
  TRY(Generated generated, holdfast::model::generate(rows, prompts, wanted));
  return Sequences{std::move(generated.sequences), std::move(generated.scores)};
}

}  // namespace holdfast::model
