#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/completion_call.h"
#include "model/step_batch.h"
#include "serve/worker_protocol.h"
#include "token/decode_stream.h"

namespace holdfast::cli {

// Answers of one model, many at once: calls come in at any time and each step brings every answer a token
// further. What has no room yet waits. Borrows all four. One thread at a time.
class CompletionWriter {
 public:
  CompletionWriter(const model::TextGenerator& generator, tensor::Threads& threads, const Clock& clock,
                   Random& random);

  void begin(const serve::GenerateAsk& ask);
  void cancel(uint64_t id);
  bool idle() const { return answers_.empty() && ended_.empty(); }
  // Events of one step of the model; the last one of an answer says that it is.
  std::vector<serve::GenerateEvent> step();

 private:
  struct Answer {
    uint64_t id = 0;
    CompletionCall call;
    std::optional<model::StepBatch::Sequence> sequence;  // None: waits for room.
    token::DecodeStream text;
    std::string held;  // May be the beginning of a stop.
    size_t new_tokens = 0;

    explicit Answer(const token::Tokenizer& tokenizer)
        : text(tokenizer, token::Tokenizer::SpecialsInOutput::skip) {}
  };

  void fail_answer(uint64_t id, Error error);
  void let_in();
  Status join(Answer& answer);
  // True when it has ended.
  bool take(Answer& answer, const model::StepToken& token, serve::GenerateEvent& event) const;
  std::string log_probabilities(const model::StepToken& token) const;
  std::shared_ptr<const std::vector<std::string>> token_bytes();

  const model::TextGenerator& generator_;
  const Clock& clock_;
  Random& random_;
  model::StepBatch batch_;
  std::deque<std::unique_ptr<Answer>> answers_;
  std::vector<serve::GenerateEvent> ended_;  // Of what failed before its first step.
  std::shared_ptr<const std::vector<std::string>> token_bytes_;
  std::unique_ptr<model::structured::TokenTree> tree_;
};

}  // namespace holdfast::cli
