#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::model {

using TokenId = uint32_t;

enum class EarlyStopping : uint8_t { when_hopeless, when_full, never };  // false, true, "never"

// How to generate, with the names and meanings of transformers' GenerationConfig (5.23). Limits are of one
// call; what a model can hold is checked by who runs it.
// Whisper's tokens of times, which follow each other from 0 on.
struct SpeechTimes {
  TokenId no_timestamps = 0;  // The one before the first; never written.
  TokenId end = 0;            // Words are below it.
  size_t first_max = 50;      // Of a text's first time, in steps; 0: no bound.
};

struct GenerationSettings {
  static constexpr size_t new_tokens_limit = 1 << 20;
  static constexpr size_t beams_limit = 64;

  // Length, in tokens. length_max counts the prompt; new_tokens_max wins over it.
  std::optional<size_t> new_tokens_max = {}, length_max = {};
  std::optional<size_t> new_tokens_min = {}, length_min = {};

  bool sample = false;
  size_t beams = 1;
  size_t returned = 1;  // num_return_sequences
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::when_hopeless;

  std::vector<TokenId> end_tokens = {};  // eos_token_id
  std::optional<TokenId> pad_token = {}, forced_begin = {}, forced_end = {};

  // Of logits, in the order in which they are applied.
  std::vector<std::pair<std::vector<TokenId>, double>> sequence_bias = {};
  double encoder_repetition_penalty = 1;
  double repetition_penalty = 1;
  double presence_penalty = 0, frequency_penalty = 0;  // OpenAI's: of generated tokens, additive.
  size_t no_repeat_ngram = 0, encoder_no_repeat_ngram = 0;
  std::vector<std::vector<TokenId>> bad_words = {};
  bool remove_invalid = false;
  std::optional<std::pair<size_t, double>> length_decay = {};  // exponential_decay_length_penalty
  std::vector<TokenId> suppressed = {}, suppressed_at_begin = {};
  std::optional<SpeechTimes> times = {};  // Set by who knows the model; no key is read for it.
  double temperature = 1;
  std::optional<double> top_h = {};
  size_t top_k = 0;  // 0: all. (transformers' own default is 50 where neither call nor model says.)
  double top_p = 1, min_p = 0, typical_p = 1, epsilon_cutoff = 0, eta_cutoff = 0;
  bool renormalize = false;

  uint64_t seed = 0;
};

// Reads the keys of a generation_config.json or of a golden `generate` object over `base`. Keys that describe
// something else (versions, caches) are passed over; a value out of its range is bad_request with its key.
Result<GenerationSettings> parse_generation_settings(const boost::json::object& object,
                                                     GenerationSettings base = {});

}  // namespace holdfast::model
