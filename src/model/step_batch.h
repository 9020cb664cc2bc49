#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "model/decoder_model.h"
#include "model/generation/drafter.h"
#include "model/generation/logits_chain.h"
#include "model/structured/token_mask.h"

namespace holdfast::model {

// What an answer of a StepBatch is bound to: a constraint with the bytes that each token adds.
struct BoundAnswer {
  std::unique_ptr<structured::Constraint> constraint;
  std::shared_ptr<const std::vector<std::string>> token_bytes;
};

struct StepRequest {
  std::vector<TokenId> prompt;
  GenerationSettings settings;  // One beam, one row: greedy or sampled by its own seed.
  BoundAnswer bound = {};
  const Adapter* adapter = nullptr;  // Borrowed until the text ends.
  std::unique_ptr<Drafter> drafter = {};
  size_t drafted_max = 4;
  std::optional<size_t> alternatives = {};  // Log-probabilities of the chosen token and of this many others.
};

struct LogProbability {
  TokenId token = 0;
  float value = 0;  // Natural logarithm, by the model's own scores.
};

// One more token of one sequence.
struct StepToken {
  enum class End : uint8_t { goes_on, end_token, length, failed };
  using Sequence = Id<struct StepSequenceTag, uint64_t>;

  Sequence sequence;
  TokenId token = 0;
  End end = End::goes_on;
  std::optional<LogProbability> log_probability = {};
  std::vector<LogProbability> alternatives = {};
  std::optional<Error> error = {};  // Of one that failed; it has no token.
};

struct StepOptions {
  size_t sequences_max = 64;
  size_t tokens_a_step = 512;  // Of prompts; longer ones come in over several steps.
  size_t pages_max = 1 << 20;  // Of keys and values, for all sequences at their longest.
  size_t remembered_max = 8;   // Texts whose cache is kept for prompts that begin like them.
};

// Texts that one model goes on with together: they join and leave between any two steps. Each text is, to the
// bit, what it would be alone; neither the others nor chunks of its prompt, nor a shared beginning, nor a
// drafter changes it. Borrows model and threads. One thread at a time.
class StepBatch {
 public:
  using Sequence = StepToken::Sequence;

  StepBatch(const DecoderModel& model, tensor::Threads& threads, StepOptions options = {});

  // queue_full when sequences or pages are used up, input_too_long and bad_request for what cannot be.
  Result<Sequence> join(StepRequest request);
  void leave(Sequence sequence);  // Nothing where it has ended.
  bool empty() const { return rows_.empty(); }
  size_t sequences() const { return rows_.size(); }
  // One pass of the model. A sequence that ends with one of the tokens has left.
  Result<std::vector<StepToken>> step();
  // Tokens of prompts that were not computed because a cache had them.
  size_t tokens_reused() const { return tokens_reused_; }

 private:
  struct Row {
    Sequence id;
    std::vector<TokenId> text;
    size_t prompt = 0, length_max = 0, pages = 0;
    KvCache cache;
    StepRequest request;
    std::optional<LogitsChain> chain;
    std::vector<TokenId> guesses;  // Behind the text in the current pass.
  };
  struct Remembered {
    uint64_t adapter = 0;  // Its number; 0: none.
    std::vector<TokenId> text;
    KvCache cache;
  };

  size_t length_limit(const StepRequest& request) const;
  KvCache find_beginning(const StepRequest& request);
  Result<TokenBatch> next_batch(std::vector<size_t>& scored);
  // Until the next pass.
  std::span<float> scores_of(const Decoder::States& states, const TokenBatch& batch,
                             const std::vector<size_t>& scored);
  // Goes through the scores of a row's pass, as far as guesses were right.
  void take(Row& row, std::span<float> scores, std::vector<StepToken>& out);
  StepToken choose(Row& row, std::span<float> scores);
  void remember(Row& row);

  const DecoderModel& model_;
  tensor::Threads& threads_;
  const StepOptions options_;
  bool positions_by_length_ =
      false;                     // Rotary frequencies hang on the length: no chunks, no reuse, no guesses.
  bool carries_states_ = false;  // A state cannot take back a guess: none are made.
  std::vector<std::unique_ptr<Row>> rows_;
  std::deque<Remembered> remembered_;
  size_t renewed_after_ = 0;  // A text that outgrows this makes its keys again; 0: none does.
  uint64_t last_id_ = 0;
  tensor::Floats head_rows_, scores_;  // Of a pass.
  size_t pages_used_ = 0, tokens_reused_ = 0;
};

}  // namespace holdfast::model
