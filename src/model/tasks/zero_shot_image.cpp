#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/signal_tasks.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
namespace {

constexpr size_t labels_max = 512;
constexpr size_t siglip_width = 64;  // SigLIP was trained on texts filled up to this, and looks at all of it.

// Python's format() with one {}.
Result<std::string> filled(std::string_view pattern, std::string_view label) {
  const size_t at = pattern.find("{}");
  if (at == std::string_view::npos)
    return fail(Reason::bad_request, "hypothesis_template has no {} for the label");
  return fmt::format("{}{}{}", pattern.substr(0, at), label, pattern.substr(at + 2));
}

struct Texts {
  std::vector<int64_t> ids, mask;
  uint64_t rows = 0, width = 0;
};

Result<Texts> encode(const SignalCall& call, const std::vector<std::string>& texts, bool whole_width) {
  if (call.parts.tokenizer == nullptr)
    return fail(Reason::model_unsupported, "the model's folder has no tokenizer");
  const StageTimer timer(call.times, &StageTimes::tokenize);
  token::EncodeOptions options;
  if (whole_width) options.truncation = token::Truncation{.length_max = siglip_width};
  std::vector<std::vector<uint32_t>> rows;
  Texts out{.ids = {}, .mask = {}, .rows = texts.size(), .width = whole_width ? siglip_width : 0};
  for (const std::string& text : texts) {
    TRY(const token::Encoding encoding,
        call.parts.tokenizer->encode({.text = text, .words = {}, .pair = {}}, options));
    if (call.times != nullptr) call.times->count(encoding.ids, std::nullopt);
    rows.emplace_back(encoding.ids.begin(), encoding.ids.end());
    out.width = std::max<uint64_t>(out.width, rows.back().size());
  }
  for (const std::vector<uint32_t>& row : rows)
    for (uint64_t i = 0; i < out.width; ++i) {
      out.ids.push_back(i < row.size() ? row[i] : call.parts.pad_id);
      out.mask.push_back(i < row.size() ? 1 : 0);
    }
  return out;
}

}  // namespace

Result<boost::json::value> classify_image_zero_shot(const SignalCall& call) {
  TRY(const SignalModel* model,
      call.expect(SignalPurpose::Task::zero_shot_image_classification, "zero-shot-image-classification"));
  const boost::json::value* given = call.parameters.if_contains("candidate_labels");
  if (given == nullptr) return fail(Reason::bad_request, "'candidate_labels' is missing");
  TRY(const std::vector<std::string> labels, read_texts(*given, "candidate_labels"));
  if (labels.empty() || labels.size() > labels_max)
    return fail(Reason::bad_request, fmt::format("candidate_labels are 1 to {}", labels_max));
  TRY(const auto pattern, codec::json_text_if(call.parameters, "hypothesis_template"));
  std::vector<std::string> texts;
  for (const std::string& label : labels) {
    TRY(std::string text, filled(pattern.value_or("This is a photo of {}."), label));
    texts.push_back(std::move(text));
  }
  const bool siglip = call.parts.family.starts_with("siglip");
  TRY(const Texts words, encode(call, texts, siglip));
  TRY(const media::Image image, call.image());
  TRY(media::Pixels pixels, call.parts.images->run(image));
  std::vector<NamedTensor> floats;
  floats.push_back(pixel_values(std::move(pixels)));
  std::vector<std::pair<std::string, std::vector<int64_t>>> integers = {{"input_ids", words.ids}};
  if (!siglip) integers.emplace_back("attention_mask", words.mask);
  TRY(const std::vector<NamedTensor> outputs,
      call.run(*model, std::move(floats), std::move(integers), {words.rows, words.width}));
  TRY(const NamedTensor* logits, output_of(outputs, "logits_per_image"));
  if (logits->data.size() != labels.size()) return fail(Code::corrupt, "a score for each label is missing");
  std::vector<float> scores = softmax(logits->data);
  if (siglip) std::transform(logits->data.begin(), logits->data.end(), scores.begin(), sigmoid);
  std::vector<size_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  boost::json::array out;
  for (const size_t i : order) out.push_back(boost::json::object{{"score", scores[i]}, {"label", labels[i]}});
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
