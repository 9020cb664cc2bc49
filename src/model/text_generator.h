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
  // `adapters`: whether with_adapter will be called. `store`: as DecoderModel has it.
  static Result<TextGenerator> open(io::Disk& disk, const io::Path& place, tensor::Compute compute = {},
                                    DecoderModel::Adapters adapters = DecoderModel::Adapters::none,
                                    const LayerStore* store = nullptr);

  // The same model, which it shares, with a LoRA adapter of PEFT's: any number beside each other. Its
  // folder's chat template goes before the base's, which is what it was trained by; the tokenizer is the
  // base's.
  Result<TextGenerator> with_adapter(io::Disk& disk, const io::Path& folder) const;

  const DecoderModel& model() const { return *model_; }
  const Adapter* adapter() const { return adapter_.get(); }  // Null: the base alone.
  const token::Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::string& chat_template() const { return chat_template_; }  // Empty: none.
  // bos_token and the like by name, as templates ask for them.
  const boost::json::object& special_tokens() const { return special_tokens_; }
  size_t tokens_max() const { return model_->plan().positions; }

 private:
  TextGenerator() = default;

  std::shared_ptr<const DecoderModel> model_;
  std::shared_ptr<const token::Tokenizer> tokenizer_;
  std::shared_ptr<const Adapter> adapter_;
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
      : generator_(generator), rows_(generator.model(), threads, generator.adapter()) {}

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
