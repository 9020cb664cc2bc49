#include "model/embedder.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/normalized_text.h"
#include "token/unicode/utf8.h"

namespace holdfast::model {
namespace {

constexpr size_t tokenizer_bytes_max = 64 << 20;

TokenizedText to_tokenized(const token::Encoding& encoding, bool truncated) {
  return {encoding.ids, encoding.type_ids, truncated};
}

}  // namespace

Embedder::Embedder(EncoderModel model, token::Tokenizer tokenizer, SentenceConfig sentence)
    : model_(std::move(model)), tokenizer_(std::move(tokenizer)), sentence_(sentence) {
  tokens_max_ = std::min(sentence_.tokens_max.value_or(model_.plan().positions), model_.plan().positions);
}

Result<Embedder> Embedder::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  TRY(const SentenceConfig sentence, read_sentence_config(disk, folder));
  TRY(const std::string json, io::read_text(disk, folder / "tokenizer.json", tokenizer_bytes_max));
  TRY(token::Tokenizer tokenizer, token::Tokenizer::load(json));
  TRY(EncoderModel model, EncoderModel::open(disk, folder, compute));
  if (tokenizer.added_tokens(1) >= model.plan().positions)
    return fail(Reason::bad_request, "the model has no position left beside the special tokens");
  return Embedder(std::move(model), std::move(tokenizer), sentence);
}

Result<TokenizedText> Embedder::tokenize(std::string_view text, token::Side cut_from) const {
  token::EncodeOptions options;
  options.truncation = token::Truncation{.length_max = tokens_max_, .cut_from = cut_from};
  std::string lowered;
  if (sentence_.lowercase) {
    if (!token::is_valid_utf8(text)) return fail(Reason::tokenization_failed, "the text is not valid UTF-8");
    token::NormalizedText lower(text);
    lower.lower();
    lowered = lower.text();
    text = lowered;
  }
  TRY(const token::Encoding encoding, tokenizer_.encode({.text = text, .words = {}, .pair = {}}, options));
  return to_tokenized(encoding, !encoding.overflow.empty());
}

Result<TokenizedText> Embedder::wrap(std::span<const uint32_t> ids) const {
  for (uint32_t id : ids)
    if (id >= model_.plan().vocabulary)
      return fail(Reason::tokenization_failed, fmt::format("{} is no token of this model", id));
  token::EncodeOptions options;
  options.truncation = token::Truncation{.length_max = tokens_max_};
  TRY(const token::Encoding encoding, tokenizer_.encode_ids(ids, options));
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

Result<std::vector<std::vector<float>>> Embedder::embed(std::span<const TokenizedText> texts,
                                                        tensor::Threads& threads) const {
  for (const TokenizedText& text : texts)
    if (text.ids.empty()) return fail(Reason::tokenization_failed, "a text has no tokens");
  const TokenBatch batch = batch_of(texts);
  TRY(const tensor::Floats hidden, model_.encoder().forward(batch, threads));
  auto vectors = pool_sentences(model_.encoder().kernels(), sentence_.pooling, batch, hidden, dimensions());
  if (sentence_.normalize)
    for (std::vector<float>& vector : vectors) normalize_vector(vector);
  return vectors;
}

Result<std::vector<std::vector<float>>> Embedder::features(std::span<const TokenizedText> texts,
                                                           tensor::Threads& threads) const {
  const TokenBatch batch = batch_of(texts);
  TRY(const tensor::Floats hidden, model_.encoder().forward(batch, threads));
  std::vector<std::vector<float>> out;
  for (size_t i = 0; i < batch.sequences(); ++i)
    out.emplace_back(hidden.data() + batch.starts[i] * dimensions(),
                     hidden.data() + batch.starts[i + 1] * dimensions());
  return out;
}

}  // namespace holdfast::model
