#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/check.h"
#include "codec/json.h"
#include "model/folder_json.h"
#include "model/generation/generate.h"
#include "model/seq2seq_model.h"
#include "model/tasks/signal_tasks.h"

namespace holdfast::model {
namespace {

constexpr size_t new_tokens_most = 4096;

}  // namespace

Result<boost::json::value> write_caption(const SignalCall& call) {
  const Seq2SeqModel* model = call.parts.model->seq2seq();
  CHECK(model != nullptr && model->signals() != nullptr);
  if (call.parts.tokenizer == nullptr)
    return fail(Reason::model_unsupported, "the model's folder has no tokenizer");
  if (!model->plan().start_id)
    return fail(Reason::bad_request, "config.json does not say decoder_start_token_id");
  boost::json::object said;
  TRY(const boost::json::object* within, codec::json_object_if(call.parameters, "generate_kwargs"));
  if (within != nullptr) lay_over(said, *within);
  lay_over(said, call.parameters);
  TRY(const GenerationSettings settings, parse_generation_settings(said, model->generation()));
  if (std::max(settings.new_tokens_max.value_or(0), settings.length_max.value_or(0)) > new_tokens_most)
    return fail(Reason::bad_request, fmt::format("an answer has at most {} tokens", new_tokens_most));
  TRY(const media::Image image, call.image());
  TRY(media::Pixels pixels, call.parts.images->run(image));
  const NamedTensor input = pixel_values(std::move(pixels));
  const StageTimer timer(call.times, &StageTimes::model);
  TRY(std::vector<Memory> memories,
      model->remember_signals(
          tensor::Weights::borrowed({{input.name, tensor::TensorView{tensor::Dtype::f32, input.shape,
                                                                     std::as_bytes(std::span(input.data))}}}),
          call.threads));
  Seq2SeqRows rows(*model, std::move(memories), call.threads);
  const Prompt begin{.tokens = {static_cast<TokenId>(*model->plan().start_id)}, .padding = 0};
  TRY(const Generated made, generate(rows, {&begin, 1}, settings));
  const std::span<const TokenId> all(made.sequences[0]);
  if (call.times != nullptr) call.times->tokens += all.size() - 1;
  TRY(const std::string text,
      call.parts.tokenizer->decode(all.subspan(1), token::Tokenizer::SpecialsInOutput::skip));
  return boost::json::value(boost::json::array{boost::json::object{{"generated_text", text}}});
}

}  // namespace holdfast::model
