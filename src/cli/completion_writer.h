#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/adapter_shelf.h"
#include "cli/completion_call.h"
#include "cli/prompt_scores.h"
#include "model/step_batch.h"
#include "serve/worker_protocol.h"
#include "token/decode_stream.h"

namespace holdfast::cli {

// Answers of one model, many at once: calls come in at any time and each step brings every answer a token
// further. What has no room yet waits. Each is of the base or of an adapter. Borrows all four. One thread at
// a time.
class CompletionWriter {
 public:
  static constexpr size_t answers_at_once = 32;

  CompletionWriter(AdapterShelf& adapters, tensor::Threads& threads, const Clock& clock, Random& random);

  void begin(const serve::GenerateAsk& ask);
  void cancel(uint64_t id);
  size_t answers() const { return answers_.size(); }  // Written now, or waiting for room.
  bool idle() const { return answers_.empty() && ended_.empty(); }
  // Events of one step of the model; the last one of an answer says that it is.
  std::vector<serve::GenerateEvent> step();

 private:
  struct Answer {
    uint64_t id = 0;
    std::shared_ptr<const model::TextGenerator> generator;  // The base, or it with an adapter.
    CompletionCall call;
    std::optional<PromptScores> prompt;                  // While it is looked at.
    std::optional<model::StepBatch::Sequence> sequence;  // None: waits for room.
    bool opened = false;                                 // What stands before the first token was sent.
    token::DecodeStream text;
    jinja::ReplyReader reader;
    std::string held;  // May be the beginning of a stop.
    size_t new_tokens = 0, reused_tokens = 0, prompt_steps = 0;

    Answer(const token::Tokenizer& tokenizer, jinja::ReplyForm form, jinja::ReplyReader::NextId next_id)
        : text(tokenizer, token::Tokenizer::SpecialsInOutput::skip),
          reader(std::move(form), std::move(next_id)) {}
  };
  using Answers = std::deque<std::unique_ptr<Answer>>;

  void fail_answer(uint64_t id, Error error);
  void look_at_prompts();
  void open(Answer& answer);
  void let_in();
  Status join(Answer& answer);
  // True when it has ended.
  bool take(Answer& answer, const model::StepToken& token, serve::GenerateEvent& event);
  void end(Answer& answer, std::string reason, std::string stop, serve::GenerateEvent& event) const;
  // The token's text where it is a mark that the reader knows.
  std::string_view mark_of(const Answer& answer, model::TokenId token);
  serve::WrittenToken written(model::TokenId token, const std::optional<model::LogProbability>& chosen,
                              const std::vector<model::LogProbability>& others);
  const std::string& bytes_of(model::TokenId token);
  std::shared_ptr<const std::vector<std::string>> token_bytes();

  AdapterShelf& adapters_;
  const model::TextGenerator& generator_;  // The base: tokens and vocabulary are the same for all.
  tensor::Threads& threads_;
  const Clock& clock_;
  Random& random_;
  model::StepBatch batch_;
  Answers answers_;
  std::vector<serve::GenerateEvent> ended_;  // Of what has no step of the model.
  std::shared_ptr<const std::vector<std::string>> token_bytes_;
  std::unique_ptr<model::structured::TokenTree> tree_;
  std::map<model::TokenId, std::string> specials_;  // By id, of those that were written.
};

}  // namespace holdfast::cli
