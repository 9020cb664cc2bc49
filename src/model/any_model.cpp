#include "model/any_model.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"
#include "model/decoder_rows.h"
#include "model/families/decoders.h"
#include "model/families/seq2seqs.h"
#include "model/families/signals.h"
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

// What a decoder's rows begin with: as the settings say, else config.json.
Result<TokenId> start_token(const Seq2SeqPlan& plan, const boost::json::object& settings) {
  std::optional<int64_t> id = plan.start_id;
  const boost::json::value* said = settings.if_contains("decoder_start_token_id");
  if (said != nullptr && !said->is_null()) {
    if (!said->is_int64()) return fail(Reason::bad_request, "decoder_start_token_id must be a whole number");
    id = said->get_int64();
  }
  if (!id)
    return fail(Reason::bad_request, "neither the settings nor config.json say decoder_start_token_id");
  if (*id < 0 || static_cast<uint64_t>(*id) >= plan.decoder.vocabulary)
    return fail(Reason::bad_request, "decoder_start_token_id is outside the vocabulary");
  return static_cast<TokenId>(*id);
}

// What transformers' generate() makes of these for Whisper is a task's business, or nobody's.
Status check_signal_settings(const boost::json::object& settings) {
  constexpr std::string_view names[] = {"language",
                                        "task",
                                        "is_multilingual",
                                        "return_timestamps",
                                        "forced_decoder_ids",
                                        "prompt_ids",
                                        "prompt_condition_type",
                                        "condition_on_prev_tokens",
                                        "temperature_fallback",
                                        "compression_ratio_threshold",
                                        "logprob_threshold",
                                        "no_speech_threshold",
                                        "num_segment_frames",
                                        "time_precision",
                                        "return_token_timestamps",
                                        "return_segments",
                                        "encoder_repetition_penalty",
                                        "encoder_no_repeat_ngram_size"};
  for (std::string_view name : names) {
    const boost::json::value* value = settings.if_contains(name);
    if (value == nullptr || value->is_null() || (value->is_bool() && !value->get_bool())) continue;
    const double neutral = name == "encoder_repetition_penalty" ? 1 : 0;
    const bool counts = name.starts_with("encoder_") && value->is_number();
    if (!(counts && value->to_number<double>() == neutral))
      return fail(Reason::model_unsupported,
                  fmt::format("generation setting \"{}\" is not supported for images and sounds here", name));
  }
  return Done{};
}

// The start token alone, or decoder_input_ids, which it is put before where they begin otherwise.
Result<std::vector<Prompt>> begun_prompts(const tensor::Weights& inputs, TokenId start, size_t rows) {
  const tensor::TensorView* view = inputs.find("decoder_input_ids");
  if (view == nullptr) return std::vector<Prompt>(rows, Prompt{.tokens = {start}, .padding = 0});
  if (view->shape.size() != 2 || view->shape[0] != rows || view->shape[1] == 0)
    return fail(Reason::bad_request, fmt::format("decoder_input_ids has shape {} where {} rows of ids belong",
                                                 tensor::shape_text(view->shape), rows));
  TRY(const std::vector<int64_t> ids, tensor::to_integers(*view));
  const size_t width = view->shape[1];
  bool begins = false;
  for (size_t row = 0; row < rows; ++row) begins |= ids[row * width] == static_cast<int64_t>(start);
  std::vector<Prompt> out(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (!begins) out[row].tokens.push_back(start);
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      if (ids[i] < 0 || ids[i] > UINT32_MAX) return fail(Reason::bad_request, "an id is out of range");
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

Result<AnyModel> AnyModel::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                const io::Path& adapter) {
  using Adapters = DecoderModel::Adapters;
  const Adapters adapters = adapter.empty() ? Adapters::none : Adapters::may_come;
  const auto with_adapter = [&](DecoderModel&& model) -> Result<AnyModel> {
    std::shared_ptr<const Adapter> opened;
    if (!adapter.empty()) {
      TRY(Adapter one, model.open_adapter(disk, adapter));
      opened = std::make_shared<const Adapter>(std::move(one));
    }
    AnyModel out(std::move(model));
    out.adapter_ = std::move(opened);
    return out;
  };
  if (folder.extension() == ".gguf") {
    TRY(DecoderModel model, DecoderModel::open_gguf(disk, folder, compute, adapters));
    return with_adapter(std::move(model));
  }
  TRY(const boost::json::object config, read_config(disk, folder));
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  if (find_decoder_family(type) != nullptr) {
    TRY(DecoderModel model, DecoderModel::open(disk, folder, compute, adapters));
    return with_adapter(std::move(model));
  }
  if (!adapter.empty())
    return fail(Reason::model_unsupported, "adapters of models that are no decoders are not supported");
  if (is_seq2seq(config)) {
    TRY(Seq2SeqModel model, Seq2SeqModel::open(disk, folder, compute));
    return AnyModel(std::move(model));
  }
  if (const SignalFamily* family = find_signal_family(type); family != nullptr) {
    TRY(tensor::Weights weights, tensor::Weights::open(disk, folder));
    TRY(std::unique_ptr<SignalModel> model, family->open(config, std::move(weights), compute));
    return AnyModel(std::move(model));
  }
  TRY(EncoderModel model, EncoderModel::open(disk, folder, compute));
  return AnyModel(std::move(model));
}

Result<std::vector<NamedTensor>> AnyModel::forward(const tensor::Weights& inputs,
                                                   tensor::Threads& threads) const {
  if (const DecoderModel* model = decoder(); model != nullptr)
    return holdfast::model::forward(*model, inputs, threads, adapter_.get());
  if (const Seq2SeqModel* model = seq2seq(); model != nullptr)
    return holdfast::model::forward(*model, inputs, threads);
  if (const SignalModel* model = signal(); model != nullptr) return model->forward(inputs, threads);
  return holdfast::model::forward(*encoder(), inputs, threads);
}

Result<AnyModel::Sequences> AnyModel::generate(const tensor::Weights& inputs,
                                               const boost::json::object& settings,
                                               tensor::Threads& threads) const {
  if (seq2seq() != nullptr) return generate_from_encoder(inputs, settings, threads);
  const DecoderModel* model = decoder();
  if (model == nullptr || model->plan().head_kind != DecoderPlan::Head::language)
    return fail(Reason::model_unsupported, "the model does not generate text");
  TRY(const GenerationSettings wanted, parse_generation_settings(settings));
  TRY(const std::vector<Prompt> prompts, read_prompts(inputs));
  DecoderRows rows(*model, threads, adapter_.get());
  TRY(Generated generated, holdfast::model::generate(rows, prompts, wanted));
  return Sequences{std::move(generated.sequences), std::move(generated.scores)};
}

Result<AnyModel::Sequences> AnyModel::generate_from_encoder(const tensor::Weights& inputs,
                                                            const boost::json::object& settings,
                                                            tensor::Threads& threads) const {
  const Seq2SeqModel& model = *seq2seq();
  if (model.plan().head != Seq2SeqPlan::Head::language)
    return fail(Reason::model_unsupported, "the model does not generate text");
  TRY(const GenerationSettings wanted, parse_generation_settings(settings));
  TRY(const TokenId start, start_token(model.plan(), settings));
  if (model.signals() != nullptr) {
    TRY_DONE(check_signal_settings(settings));
    TRY(std::vector<Memory> memories, model.remember_signals(inputs, threads));
    TRY(const std::vector<Prompt> prompts, begun_prompts(inputs, start, memories.size()));
    Seq2SeqRows rows(model, std::move(memories), threads);
    TRY(Generated generated, holdfast::model::generate(rows, prompts, wanted));
    return Sequences{std::move(generated.sequences), std::move(generated.scores)};
  }
  TRY(const Packed read,
      pack(inputs, 2, [&](auto ids, auto) { return positions_of(model.plan().encoder, ids); }));
  if (read.rows.size() != read.height) return fail(Reason::bad_request, "a row has nothing to read");
  TRY(const tensor::Floats hidden, model.encode(read.batch, threads));
  Seq2SeqRows rows(model, model.remember(read.batch, hidden, threads), threads);
  std::vector<TokenId> seen;  // By the penalties of what the encoder read, which are of one row.
  if (wanted.encoder_repetition_penalty != 1 || wanted.encoder_no_repeat_ngram > 0) {
    if (read.height > 1)
      return fail(Reason::bad_request, "penalties of the encoder's tokens are for one row a call");
    for (int64_t id : read.batch.ids) seen.push_back(static_cast<TokenId>(id));
  }
  const std::vector<Prompt> prompts(read.height, Prompt{.tokens = {start}, .padding = 0});
  TRY(Generated generated, holdfast::model::generate(rows, prompts, wanted, seen));
  return Sequences{std::move(generated.sequences), std::move(generated.scores)};
}

}  // namespace holdfast::model
