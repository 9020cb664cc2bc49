#include "model/embedder.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/normalized_text.h"
#include "token/unicode/utf8.h"

namespace holdfast::model {
namespace {

TokenizedText to_tokenized(const token::Encoding& encoding, bool truncated) {
  return {encoding.ids, encoding.type_ids, truncated, 0};
}

}  // namespace

Embedder::Embedder(TextModel model, SentenceConfig sentence, const tensor::Kernels& kernels)
    : model_(std::move(model)), sentence_(std::move(sentence)), kernels_(&kernels) {
  tokens_max_ = std::min(sentence_.tokens_max.value_or(model_.tokens_max()), model_.plan().positions);
  dimensions_ = model_.plan().width * sentence_.poolings.size();
  for (const VectorStep& step : sentence_.steps)
    if (step.dense != nullptr && step.dense->linear != nullptr) dimensions_ = step.dense->linear->width();
}

Result<Embedder> Embedder::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                const Backend* graphs, Random* keep) {
  TRY(SentenceConfig sentence, read_sentence_config(disk, folder, compute));
  TRY(TextModel model, TextModel::open(disk, folder, compute, graphs, keep));
  size_t width = model.plan().width * sentence.poolings.size();
  for (const VectorStep& step : sentence.steps) {
    if (step.dense == nullptr) continue;
    if (step.dense->norm && step.dense->norm->gamma.size() != width)
      return fail(Reason::bad_request, "a norm module does not fit what comes before it");
    if (step.dense->norm) continue;
    if (step.dense->linear->inputs() != width)
      return fail(Reason::bad_request, "a dense module does not fit what comes before it");
    width = step.dense->linear->width();
  }
  return Embedder(std::move(model), std::move(sentence), tensor::kernels_for(compute.isa));
}

Result<std::string> Embedder::prompt(std::optional<std::string_view> name) const {
  const std::string_view wanted = name.value_or(sentence_.default_prompt);
  if (wanted.empty()) return std::string();
  const auto found = sentence_.prompts.find(wanted);
  if (found == sentence_.prompts.end())
    return fail(Reason::bad_request, fmt::format("the model has no prompt '{}'", wanted.substr(0, 60)));
  return found->second;
}

Result<TokenizedText> Embedder::tokenize(std::string_view text, token::Side cut_from,
                                         std::string_view prompt) const {
  token::EncodeOptions options;
  options.truncation = token::Truncation{.length_max = tokens_max_, .cut_from = cut_from};
  if (model_.plan().bare_texts) options.special = token::SpecialTokens::leave_out;
  std::string whole = std::string(prompt).append(text);
  if (sentence_.lowercase) {
    if (!token::is_valid_utf8(whole)) return fail(Reason::tokenization_failed, "the text is not valid UTF-8");
    token::NormalizedText lower(whole);
    lower.lower();
    whole = lower.text();
  }
  TRY(const token::Encoding encoding,
      model_.tokenizer().encode({.text = whole, .words = {}, .pair = {}}, options));
  TokenizedText out = to_tokenized(encoding, !encoding.overflow.empty());
  if (!prompt.empty() && !sentence_.pools_prompt) {
    TRY(const token::Encoding alone,
        model_.tokenizer().encode({.text = prompt, .words = {}, .pair = {}}, options));
    out.skip = alone.size();
    if (out.skip > 0 && alone.special.back() != 0) --out.skip;
  }
  return out;
}

Result<TokenizedText> Embedder::wrap(std::span<const uint32_t> ids) const {
  for (uint32_t id : ids)
    if (id >= model_.plan().vocabulary)
      return fail(Reason::tokenization_failed, fmt::format("{} is no token of this model", id));
  token::EncodeOptions options;
  options.truncation = token::Truncation{.length_max = tokens_max_};
  if (model_.plan().bare_texts) options.special = token::SpecialTokens::leave_out;
  TRY(const token::Encoding encoding, model_.tokenizer().encode_ids(ids, options));
  return to_tokenized(encoding, !encoding.overflow.empty());
}

TokenBatch Embedder::batch_of(std::span<const TokenizedText> texts) const {
  TokenBatch batch;
  for (const TokenizedText& text : texts) {
    const std::vector<int64_t> ids(text.ids.begin(), text.ids.end());
    const std::vector<int64_t> positions = positions_of(model_.plan(), ids);
    for (size_t i = 0; i < ids.size(); ++i)
      batch.add(ids[i], text.types[i], positions[i], static_cast<int64_t>(i));
    batch.end_sequence();
  }
  return batch;
}

void Embedder::take_step(const VectorStep& step, std::vector<float>& vector) const {
  if (step.dense == nullptr) return normalize_vector(vector);
  if (step.dense->norm) {
    const Norm& norm = *step.dense->norm;
    kernels_->layer_norm(
        {vector.data(), vector.data(), norm.gamma.data(), norm.beta.data(), 1, vector.size(), 1e-5F});
    return;
  }
  std::vector<float> out(step.dense->linear->width());
  const auto alone = tensor::make_threads(1);
  tensor::LinearRun run;
  run.in = vector.data();
  run.out = out.data();
  run.rows = 1;
  run.activation = step.dense->activation;
  step.dense->linear->run(run, *alone);
  vector = std::move(out);
}

Result<std::vector<std::vector<float>>> Embedder::embed(std::span<const TokenizedText> texts,
                                                        tensor::Threads& threads,
                                                        const VectorOptions& options) const {
  const bool may_be_empty = model_.plan().bare_texts;
  std::vector<size_t> skip, places;  // Of the texts that have tokens; the others are all zeros.
  std::vector<TokenizedText> there;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].ids.empty() && !may_be_empty)
      return fail(Reason::tokenization_failed, "a text has no tokens");
    if (texts[i].ids.empty()) continue;
    skip.push_back(texts[i].skip);
    places.push_back(i);
    if (may_be_empty) there.push_back(texts[i]);
  }
  if (options.dimensions && (*options.dimensions < 1 || *options.dimensions > dimensions_))
    return fail(Reason::bad_request, fmt::format("the model's vectors have {} dimensions", dimensions_));
  std::vector<std::vector<float>> vectors(texts.size());
  if (!places.empty()) {
    const TokenBatch batch = batch_of(may_be_empty ? std::span<const TokenizedText>(there) : texts);
    TRY(const tensor::Floats hidden, model_.model().hidden(batch, threads));
    for (const Pooling pooling : sentence_.poolings) {
      const auto pooled = pool_sentences(*kernels_, pooling, batch, hidden, feature_width(), skip);
      for (size_t i = 0; i < pooled.size(); ++i)
        vectors[places[i]].insert(vectors[places[i]].end(), pooled[i].begin(), pooled[i].end());
    }
  }
  for (std::vector<float>& vector : vectors) vector.resize(feature_width() * sentence_.poolings.size());
  for (std::vector<float>& vector : vectors) {
    for (const VectorStep& step : sentence_.steps) take_step(step, vector);
    if (options.dimensions) vector.resize(*options.dimensions);
    const bool shortened = options.dimensions && sentence_.normalize;
    if (options.normalize.value_or(shortened)) normalize_vector(vector);
  }
  return vectors;
}

Result<std::vector<std::vector<float>>> Embedder::features(std::span<const TokenizedText> texts,
                                                           tensor::Threads& threads) const {
  const TokenBatch batch = batch_of(texts);
  TRY(const tensor::Floats hidden, model_.model().hidden(batch, threads));
  std::vector<std::vector<float>> out;
  for (size_t i = 0; i < batch.sequences(); ++i)
    out.emplace_back(hidden.data() + batch.starts[i] * feature_width(),
                     hidden.data() + batch.starts[i + 1] * feature_width());
  return out;
}

std::string_view Embedder::pooling() const {
  switch (sentence_.poolings.front()) {
    case Pooling::first_token:
      return "cls";
    case Pooling::last_token:
      return "last-token";
    case Pooling::max:
      return "max";
    case Pooling::mean:
    case Pooling::mean_over_root:
    case Pooling::weighted_mean:
      return "mean";
  }
  return "mean";
}

}  // namespace holdfast::model
