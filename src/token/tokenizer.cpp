#include "token/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Byte ranges of the input to ranges of its code points: a byte within a code point counts as its beginning,
// an end within one as its end.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::string_view input) : index_(input.size() + 1) {
    uint32_t count = 0;
    for (size_t at = 0; at < input.size(); ++at) {
      if (starts_code_point(input[at])) ++count;
      index_[at] = count - 1;
    }
    index_[input.size()] = count;
  }
  // What begins after the input stays as it is, as in the reference.
  Span convert(Span bytes) const {
    const size_t size = index_.size() - 1;
    if (bytes.begin >= size) return bytes;
    if (bytes.end < size) return {index_[bytes.begin], index_[bytes.end]};
    return {index_[bytes.begin], bytes.end == size ? index_.back() : index_[bytes.begin] + 2};
  }

 private:
  std::vector<uint32_t> index_;
};

Encoding to_encoding(const Pieces& pieces, std::string_view input, uint32_t type_id,
                     std::optional<int32_t> word) {
  const CodePointIndex index(input);
  Encoding out;
  for (size_t i = 0; i < pieces.size(); ++i) {
    for (const Token& token : *pieces[i].tokens) {
      const Span offset = index.convert(pieces[i].text.origin(token.range.begin, token.range.end));
      out.push(token.id, token.text, offset, word.value_or(static_cast<int32_t>(i)), type_id, 0);
    }
  }
  return out;
}

Status truncate_pair(Encoding& first, Encoding& second, size_t length, const Truncation& truncation) {
  size_t shorter = std::min(first.size(), second.size());
  size_t longer = shorter > length ? shorter : std::max(shorter, length - shorter);
  if (shorter + longer > length) {
    shorter = length / 2;
    longer = shorter + length % 2;
  }
  const bool first_is_longer = first.size() > second.size();
  TRY_DONE(first.truncate(first_is_longer ? longer : shorter, truncation.stride, truncation.cut_from));
  return second.truncate(first_is_longer ? shorter : longer, truncation.stride, truncation.cut_from);
}

// The parts of a pair are combined each with each: what that would take is known before it is made.
Status bound_overflow(std::vector<Encoding>& texts, Overflow wanted) {
  size_t rows = 0, parts = 1;
  for (Encoding& text : texts) {
    if (wanted == Overflow::drop) text.overflow.clear();
    parts *= text.overflow.size() + 1;
    rows += text.size();
  }
  if (parts * (rows + 1) > Tokenizer::overflow_rows_max)
    return fail(Reason::input_too_long, "truncation would leave too many parts");
  return Done{};
}

}  // namespace

Result<Encoding> Tokenizer::encode_text(std::string_view text, uint32_t type_id, std::optional<int32_t> word,
                                        const EncodeOptions& options) const {
  if (text.size() > text_bytes_max)
    return fail(Reason::input_too_long,
                fmt::format("a text has {} bytes, {} are allowed", text.size(), text_bytes_max));
  if (!is_valid_utf8(text)) return fail(Reason::tokenization_failed, "the text is not valid UTF-8");
  Encoding fast;
  if (encode_fast(text, type_id, word, options, fast)) return fast;
  TRY(Pieces pieces, added_.split(text, normalizer_.get(), options.specials_in_text));
  if (pre_tokenizer_) TRY_DONE(pre_tokenizer_->split_text(pieces, text));
  for (Piece& piece : pieces) {
    if (piece.tokens) continue;
    TRY(piece.tokens, model_->tokenize(piece.text.text()));
  }
  return to_encoding(pieces, text, type_id, word);
}

Result<Encoding> Tokenizer::encode_part(const Input& input, uint32_t type_id,
                                        const EncodeOptions& options) const {
  if (!input.words) return encode_text(input.text, type_id, std::nullopt, options);
  Encoding out;
  for (size_t i = 0; i < input.words->size(); ++i) {
    TRY(const Encoding word, encode_text((*input.words)[i], type_id, static_cast<int32_t>(i), options));
    out.append(word);
  }
  return out;
}

Status Tokenizer::truncate(std::vector<Encoding>& texts, const Truncation& truncation,
                           SpecialTokens special) const {
  const size_t added = special == SpecialTokens::add ? added_tokens(texts.size()) : 0;
  if (truncation.length_max < added) return Done{};  // Cuts nothing, as in the reference.
  const size_t length = truncation.length_max - added;
  size_t total = 0;
  for (const Encoding& text : texts) total += text.size();
  if (length == 0) {
    for (Encoding& text : texts) TRY_DONE(text.truncate(0, truncation.stride, truncation.cut_from));
    return Done{};
  }
  if (total <= length) return Done{};
  if (truncation.strategy == TruncationStrategy::longest_first) {
    if (texts.size() == 2) return truncate_pair(texts[0], texts[1], length, truncation);
    return texts[0].truncate(length, truncation.stride, truncation.cut_from);
  }
  const size_t target = truncation.strategy == TruncationStrategy::only_first ? 0 : 1;
  if (target >= texts.size())
    return fail(Reason::tokenization_failed, "truncation: there is no second text to cut");
  const size_t excess = total - length;
  if (texts[target].size() <= excess)
    return fail(Reason::tokenization_failed,
                "truncation: the text to cut is too short to make room for the other");
  return texts[target].truncate(texts[target].size() - excess, truncation.stride, truncation.cut_from);
}

Result<Encoding> Tokenizer::encode(const Input& input, const EncodeOptions& options) const {
  std::vector<Encoding> texts;
  TRY(Encoding first, encode_part(input, 0, options));
  texts.push_back(std::move(first));
  if (input.pair || input.pair_words) {
    const Input pair{.text = input.pair.value_or(""), .words = input.pair_words, .pair = {}};
    TRY(Encoding second, encode_part(pair, 1, options));
    texts.push_back(std::move(second));
  }
  return finish(std::move(texts), options);
}

Result<Encoding> Tokenizer::encode_ids(std::span<const uint32_t> ids, const EncodeOptions& options) const {
  Encoding encoding;
  for (uint32_t id : ids) {
    const std::optional<std::string_view> token = token_of(id);
    if (!token) return fail(Reason::tokenization_failed, fmt::format("{} is no token of this tokenizer", id));
    if (!added_.is_special(*token)) encoding.push(id, std::string(*token), {}, Encoding::no_word, 0, 0);
  }
  std::vector<Encoding> texts;
  texts.push_back(std::move(encoding));
  return finish(std::move(texts), options);
}

Result<Encoding> Tokenizer::finish(std::vector<Encoding> texts, const EncodeOptions& options) const {
  if (options.truncation) TRY_DONE(truncate(texts, *options.truncation, options.special));
  TRY_DONE(bound_overflow(texts, options.overflow));

  if (post_processor_ || texts.size() == 2) {
    for (size_t i = 0; i < texts.size(); ++i) {
      texts[i].ranges = {{static_cast<int>(i), {0, texts[i].size()}}};
      for (Encoding& part : texts[i].overflow) part.ranges = {{static_cast<int>(i), {0, part.size()}}};
      texts[i].type_ids.assign(texts[i].size(), static_cast<uint32_t>(i));
    }
  }
  if (post_processor_) {
    TRY(texts, post_processor_->process(std::move(texts), options.special));
  }
  Encoding out;
  for (const Encoding& part : texts) out.append(part);
  if (texts.size() == 1) out = std::move(texts[0]);
  if (options.padding) {
    std::vector<Encoding> one;
    one.push_back(std::move(out));
    pad_batch(one, *options.padding);
    out = std::move(one[0]);
  }
  return out;
}

Result<std::vector<Encoding>> Tokenizer::encode_batch(std::span<const std::string> texts,
                                                      const EncodeOptions& options) const {
  std::vector<Input> inputs;
  inputs.reserve(texts.size());
  for (const std::string& text : texts) inputs.push_back({.text = text, .words = {}, .pair = {}});
  return encode_batch(inputs, options);
}

Result<std::vector<Encoding>> Tokenizer::encode_batch(std::span<const Input> inputs,
                                                      const EncodeOptions& options) const {
  EncodeOptions each = options;
  each.padding.reset();
  std::vector<Encoding> out(inputs.size());
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;  // Of the first text that has one.
  size_t error_at = inputs.size();
  const auto work = [&] {
    for (size_t i = next++; i < inputs.size(); i = next++) {
      auto encoding = encode(inputs[i], each);
      if (encoding.ok()) {
        out[i] = std::move(encoding).value();
        continue;
      }
      const std::lock_guard lock(mutex);
      if (i < error_at) error = encoding.error();
      error_at = std::min(error_at, i);
    }
  };
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(options.threads, std::min(inputs.size(), batch_threads_max)); ++i)
    helpers.emplace_back(work);
  work();
  helpers.clear();
  if (error) return std::move(*error);
  if (options.padding) pad_batch(out, *options.padding);
  return out;
}

Result<std::string> Tokenizer::decode(std::span<const uint32_t> ids, SpecialsInOutput specials) const {
  std::vector<std::string> tokens;
  for (uint32_t id : ids) {
    const std::optional<std::string_view> token = token_of(id);
    if (!token || (specials == SpecialsInOutput::skip && added_.is_special(*token))) continue;
    tokens.emplace_back(*token);
  }
  std::string out;
  if (decoder_) {
    TRY(const std::vector<std::string> parts, decoder_->decode(std::move(tokens)));
    for (const std::string& part : parts) out += part;
    return out;
  }
  for (size_t i = 0; i < tokens.size(); ++i) out += (i > 0 ? " " : "") + tokens[i];
  return out;
}

std::optional<uint32_t> Tokenizer::id_of(std::string_view token) const {
  const auto id = added_.id_of(token);
  return id ? id : model_->id_of(token);
}

std::optional<std::string_view> Tokenizer::token_of(uint32_t id) const {
  const auto token = added_.token_of(id);
  return token ? token : model_->token_of(id);
}

size_t Tokenizer::vocabulary_size() const {
  return model_->vocabulary_size() + added_.count_unknown_to(*model_);
}

}  // namespace holdfast::token
