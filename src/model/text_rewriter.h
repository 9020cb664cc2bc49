#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model/seq2seq_model.h"
#include "model/stage_times.h"
#include "token/tokenizer.h"

namespace holdfast::model {

// Whether a folder has a config.json that names an encoder-decoder model with a language head.
Result<bool> rewrites_text(io::Disk& disk, const io::Path& folder);

// An encoder-decoder model with its tokenizer: summarization, translation, text2text-generation. Immutable;
// safe from any thread, each with its own Threads.
class TextRewriter {
 public:
  static Result<TextRewriter> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {});

  // `inputs`: a text or a list of them. `parameters`: the task API's (src_lang, tgt_lang, truncation) and
  // those of generate(), beside them or in generate_parameters. [{summary_text | translation_text |
  // generated_text}], one a text. not_offered for other tasks, input_too_long with both counts.
  Result<boost::json::value> run(std::string_view task, const boost::json::value& inputs,
                                 const boost::json::object& parameters, tensor::Threads& threads,
                                 StageTimes* times = nullptr) const;
  // What the model is for where nobody says it.
  std::string_view task() const { return task_; }
  const token::Tokenizer& tokenizer() const { return *tokenizer_; }
  size_t tokens_max() const { return tokens_max_; }

 private:
  TextRewriter(Seq2SeqModel model, std::unique_ptr<token::Tokenizer> tokenizer)
      : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}
  // What one call does the same for all its texts.
  struct Order {
    std::string prefix;
    GenerationSettings settings;
    std::optional<uint32_t> from;  // The token of the language that is read.
    bool cut = false;
  };
  Result<Order> read_order(std::string_view task, const boost::json::object& parameters) const;
  Result<std::vector<TokenId>> encode(const Order& order, std::string_view text) const;
  Result<std::string> rewrite(const Order& order, std::string_view text, tensor::Threads& threads,
                              StageTimes* times) const;
  Result<uint32_t> language(std::string_view name) const;

  Seq2SeqModel model_;
  std::unique_ptr<token::Tokenizer> tokenizer_;
  std::string task_;
  boost::json::object by_task_;  // config.json's task_specific_params: a prefix and settings for each task.
  size_t tokens_max_ = 0;
};

std::span<const std::string_view> rewriting_tasks();

}  // namespace holdfast::model
