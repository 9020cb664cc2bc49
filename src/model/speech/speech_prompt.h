#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/generation/settings.h"

namespace holdfast::model {

// The tokens by which Whisper is told what to write, of its generation_config.json (Radford et al. 2022).
struct SpeechTokens {
  TokenId start = 0;                           // <|startoftranscript|>
  std::optional<TokenId> no_timestamps;        // Those of times follow it.
  std::optional<TokenId> before;               // <|startofprev|>, in front of what was said before.
  std::map<std::string, TokenId> languages;    // By code.
  std::map<std::string, TokenId> tasks;        // transcribe, translate
  std::vector<std::optional<TokenId>> forced;  // forced_decoder_ids of old folders; empty: to be found out.
  std::optional<std::string> language, task;   // Of the folder, for whoever says nothing.
  size_t first_time_max = 50;                  // max_initial_timestamp_index; 0: no bound.
  bool timestamps = false;                     // return_timestamps
  bool says_beams = false;                     // Whether the folder says num_beams.

  std::optional<TokenId> first_time() const {
    return no_timestamps ? std::optional<TokenId>(*no_timestamps + 1) : std::nullopt;
  }
};
// bad_request for what cannot be. `config`: config.json, where old folders have forced_decoder_ids.
Result<SpeechTokens> read_speech_tokens(const boost::json::object& generation,
                                        const boost::json::object& config);

struct SpeechWish {
  std::optional<std::string> language, task;
  bool timestamps = false;
};
// What a text begins with, as transformers' generate has it (5.23). Without a value where the language is to
// be heard first. bad_request for a language or a task that the model lacks.
Result<std::optional<std::vector<TokenId>>> speech_prompt(const SpeechTokens& tokens, const SpeechWish& wish,
                                                          std::optional<TokenId> heard);

}  // namespace holdfast::model
