#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/tokenizer.h"

namespace holdfast::token {

// Decodes ids as they come, for answers that are shown while they are made: gives text only when it ends with
// a whole character, and all steps together give what decoding all ids at once gives, as far as bytes make
// characters. One thread; borrows the tokenizer. Steps are those of the reference library's DecodeStream,
// which fails where a byte breaks a character that was given out.
class DecodeStream {
 public:
  // More ids than this that make no whole character are given out as they decode.
  static constexpr size_t pending_max = 256;

  // `before`: ids that are shown already and only give the context (the end of a prompt).
  explicit DecodeStream(const Tokenizer& tokenizer, Tokenizer::SpecialsInOutput specials,
                        std::vector<uint32_t> before = {})
      : tokenizer_(tokenizer), specials_(specials), ids_(std::move(before)) {}

  // The text that is new; nothing while a character is not whole, or for tokens without text.
  Result<std::optional<std::string>> step(std::span<const uint32_t> ids);
  // At the end: what is left, broken characters as U+FFFD.
  Result<std::string> finish();

 private:
  Result<std::optional<std::string>> give(std::string all);

  const Tokenizer& tokenizer_;
  Tokenizer::SpecialsInOutput specials_;
  std::vector<uint32_t> ids_;  // The context, then what is not given out.
  std::string prefix_;         // What the context decodes to.
  size_t context_ = 0;         // How many of ids_ are context.
};

}  // namespace holdfast::token
