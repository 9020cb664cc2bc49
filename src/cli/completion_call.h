#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jinja/reply_reader.h"
#include "model/generation/settings.h"
#include "model/structured/grammar.h"
#include "model/text_generator.h"

namespace holdfast::cli {

// A call of POST /v1/chat/completions or /v1/completions as its model takes it.
struct CompletionCall {
  std::vector<model::TokenId> prompt;
  model::GenerationSettings settings;
  std::vector<std::string> stops;
  std::optional<size_t> alternatives;                         // Log-probabilities, with this many others.
  std::shared_ptr<const model::structured::Grammar> grammar;  // Null: any text.
  bool seeded = false;
  jinja::ReplyForm reply;           // How what is written is taken apart.
  bool one_call = false;            // It ends with the first call of a tool.
  bool with_tokens = false;         // Each event says what it was made of.
  bool with_prompt = false;         // The prompt's own tokens and log-probabilities come first.
  std::optional<std::string> echo;  // The prompt's text, which comes first.
  bool writes = true;               // Not: only the prompt is looked at.
};

// The call's JSON without what the door keeps for itself. bad_request names the key that is unknown or wrong;
// not_offered for what is known and not done here; input_too_long with both counts.
Result<CompletionCall> read_completion_call(const boost::json::object& body,
                                            const model::TextGenerator& generator, WallTime now);

}  // namespace holdfast::cli
