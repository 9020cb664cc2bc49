#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"
#include "model/stage_times.h"
#include "tensor/precision.h"
#include "tensor/threads.h"
#include "token/tokenizer.h"

namespace holdfast::model {

class Seq2SeqModel;

// Whether a folder has a config.json that names an encoder-decoder model with a language head.
Result<bool> rewrites_text(io::Disk& disk, const io::Path& folder);

// An encoder-decoder model with its tokenizer: summarization, translation, text2text-generation. Immutable;
// safe from any thread, each with its own Threads.
class TextRewriter {
 public:
  TextRewriter(TextRewriter&&) noexcept;
  TextRewriter& operator=(TextRewriter&&) noexcept;
  ~TextRewriter();
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
  TextRewriter(std::unique_ptr<Seq2SeqModel> model, std::unique_ptr<token::Tokenizer> tokenizer);
  struct Order;  // What one call does the same for all its texts.
  Result<Order> read_order(std::string_view task, const boost::json::object& parameters) const;
  Result<std::vector<uint32_t>> encode(const Order& order, std::string_view text) const;
  Result<std::string> rewrite(const Order& order, std::string_view text, tensor::Threads& threads,
                              StageTimes* times) const;
  Result<uint32_t> language(std::string_view name) const;

  std::unique_ptr<Seq2SeqModel> model_;
  std::unique_ptr<token::Tokenizer> tokenizer_;
  std::string task_;
  boost::json::object by_task_;  // config.json's task_specific_params: a prefix and settings for each task.
  size_t tokens_max_ = 0;
};

std::span<const std::string_view> rewriting_tasks();

}  // namespace holdfast::model
