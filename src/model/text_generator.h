#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "model/decoder_model.h"
#include "model/decoder_rows.h"
#include "token/tokenizer.h"

namespace holdfast::model {

// A decoder with its tokenizer and chat template: a model folder, or a GGUF file. Immutable; safe from any
// thread, each with its own Conversation.
class TextGenerator {
 public:
  static Result<TextGenerator> open(io::Disk& disk, const io::Path& place, tensor::Compute compute = {});

  const DecoderModel& model() const { return *model_; }
  const token::Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::string& chat_template() const { return chat_template_; }  // Empty: none.
  // bos_token and the like by name, as templates ask for them.
  const boost::json::object& special_tokens() const { return special_tokens_; }
  size_t tokens_max() const { return model_->plan().positions; }

 private:
  TextGenerator() = default;

  std::unique_ptr<DecoderModel> model_;
  std::unique_ptr<token::Tokenizer> tokenizer_;
  std::string chat_template_;
  boost::json::object special_tokens_;
};

// What one answer came to.
struct Answer {
  std::string text;
  size_t prompt_tokens = 0, new_tokens = 0;
  bool ended = false;  // By an end token or the reader, not by the limit.
};

// Texts that one reader's prompts are gone on with; what a prompt shares with the one before is not computed
// again. Borrows the generator and the threads; one thread at a time.
class Conversation {
 public:
  Conversation(const TextGenerator& generator, tensor::Threads& threads)
      : generator_(generator), rows_(generator.model(), threads) {}

  // Called with each piece of text as soon as it is whole; false ends the answer.
  using OnText = std::function<bool(std::string_view piece)>;
  // The prompt as it is: its special tokens are tokens, and none are added where `special` leaves them out.
  // input_too_long with both counts.
  Result<Answer> go_on(std::string_view prompt, token::SpecialTokens special, GenerationSettings settings,
                       const OnText& on_text);

 private:
  const TextGenerator& generator_;
  DecoderRows rows_;
};

}  // namespace holdfast::model
