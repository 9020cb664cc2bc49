#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/guardrails.h"

namespace holdfast::serve {

// Whether a text has one of the words or phrases: whole words, whatever their case, accents of letters that
// look alike, or what stands between them; of writing without spaces anywhere in it.
bool has_words(std::string_view text, const std::vector<std::string>& words);
// Whether a word is of writing without spaces: Han, kana, Thai and their like.
bool is_unspaced(std::string_view word);

// What a guarding model has to be sent of a text: pieces short enough that a usual classifier reads all of
// each, cut at white space where there is some. nullopt: more than are sent.
std::optional<std::vector<std::string>> guard_pieces(const std::vector<std::string_view>& texts);
inline constexpr size_t guard_pieces_max = 256, guard_piece_bytes = 1200;

// What a model's answer finds, by the label: empty for nothing. worker_failed where it is no such answer.
// One row of {label, score} a text, as text-embeddings-inference's /predict answers;
Result<std::string> found_by_labels(const GuardStage& stage, const boost::json::value& said);
// OpenAI's /v1/moderations;
Result<std::string> found_by_moderations(const GuardStage& stage, const boost::json::value& said);
// a chat completion, which begins with one of the labels ("unsafe" where none are given).
Result<std::string> found_by_chat(const GuardStage& stage, const boost::json::value& said);

}  // namespace holdfast::serve
