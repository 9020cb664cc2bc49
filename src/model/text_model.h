#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"
#include "model/encoder_model.h"
#include "token/tokenizer.h"

namespace holdfast::model {

// What happens to a text that is longer than the model takes.
enum class LongText : uint8_t { refuse, cut };

// An encoder with its tokenizer: what the text tasks run on. Immutable; safe from any thread, each with its
// own Threads.
class TextModel {
 public:
  // `graphs` and `keep`: as EncoderModel has them.
  static Result<TextModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                                const Backend* graphs = nullptr, Random* keep = nullptr);

  const EncoderModel& model() const { return model_; }
  const EncoderPlan& plan() const { return model_.plan(); }
  const token::Tokenizer& tokenizer() const { return *tokenizer_; }
  size_t tokens_max() const { return tokens_max_; }  // Of one input, special tokens included.
  std::optional<uint32_t> mask_id() const { return mask_id_; }
  std::optional<uint32_t> pad_id() const { return pad_id_; }
  std::optional<uint32_t> unknown_id() const { return unknown_id_; }
  std::optional<uint32_t> first_id() const { return first_id_; }  // The token that classification reads.
  // Whether tokens tell by themselves that they go on a word ("##ing").
  bool marks_subwords() const { return marks_subwords_; }
  std::string_view problem_type() const { return problem_type_; }  // Of config.json; may be empty.

  // input_too_long with both counts where long texts are refused.
  Result<token::Encoding> encode(std::string_view text, std::optional<std::string_view> pair,
                                 LongText long_text) const;
  // Any truncation; null: none.
  Result<token::Encoding> encode_with(std::string_view text, std::optional<std::string_view> pair,
                                      const token::Truncation* truncation) const;
  // Words that are known already; offsets are each word's own.
  Result<token::Encoding> encode_words(std::span<const std::string> words,
                                       const token::Truncation* truncation) const;
  // The head's outputs for encodings together, without their padding.
  Result<std::vector<NamedOutput>> run(std::span<const token::Encoding> encodings,
                                       tensor::Threads& threads) const;
  // One row of `columns` logits a sequence, or a token.
  Result<NamedOutput> logits(std::span<const token::Encoding> encodings, tensor::Threads& threads) const;
  // model_unsupported unless the checkpoint has this head.
  Status expect_head(Head head, std::string_view task) const;

 private:
  TextModel(EncoderModel model, std::unique_ptr<token::Tokenizer> tokenizer)
      : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}
  // `place`: where the tokenizer's files lie.
  Status read_names(io::Disk& disk, const io::Path& folder, const io::Path& place);

  EncoderModel model_;
  std::unique_ptr<token::Tokenizer> tokenizer_;
  size_t tokens_max_ = 0;
  std::optional<uint32_t> mask_id_, pad_id_, unknown_id_, first_id_;
  bool marks_subwords_ = false, gives_type_ids_ = true;
  std::string problem_type_;
};

}  // namespace holdfast::model
