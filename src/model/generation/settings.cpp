#include "model/generation/settings.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "codec/json.h"

namespace holdfast::model {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr size_t list_limit = 65'536, biases_limit = 1'024;

Error bad(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, "generation setting \"" + std::string(key) + "\": " + std::string(what));
}

bool given(const object& from, std::string_view key) {
  const value* found = from.if_contains(key);
  return found != nullptr && !found->is_null();
}

Result<size_t> count_of(const value& from, std::string_view key, size_t most) {
  if (!from.is_int64() || from.as_int64() < 0 || static_cast<uint64_t>(from.as_int64()) > most)
    return bad(key, "a whole number from 0 to " + std::to_string(most));
  return static_cast<size_t>(from.as_int64());
}

Result<TokenId> token_of(const value& from, std::string_view key) {
  TRY(const size_t id, count_of(from, key, UINT32_MAX));
  return static_cast<TokenId>(id);
}

Result<std::vector<TokenId>> tokens_of(const value& from, std::string_view key) {
  std::vector<TokenId> out;
  if (!from.is_array()) {
    TRY(const TokenId one, token_of(from, key));
    out.push_back(one);
    return out;
  }
  if (from.as_array().size() > list_limit) return bad(key, "too many tokens");
  for (const value& entry : from.as_array()) {
    TRY(const TokenId one, token_of(entry, key));
    out.push_back(one);
  }
  return out;
}

struct Range {
  double least, most;
};

Status read_number(const object& from, std::string_view key, Range range, double& into) {
  TRY(const auto number, codec::json_number_if(from, key));
  if (!number) return Done{};
  if (!(*number >= range.least && *number <= range.most))
    return bad(key, "a number from " + std::to_string(range.least) + " to " + std::to_string(range.most));
  into = *number;
  return Done{};
}

Status read_positive(const object& from, std::string_view key, double& into) {
  TRY(const auto number, codec::json_number_if(from, key));
  if (!number) return Done{};
  if (!(*number > 0) || !std::isfinite(*number)) return bad(key, "a number over 0");
  into = *number;
  return Done{};
}

Status read_count(const object& from, std::string_view key, size_t most, size_t& into) {
  if (!given(from, key)) return Done{};
  TRY(into, count_of(from.at(key), key, most));
  return Done{};
}

Status read_count(const object& from, std::string_view key, size_t most, std::optional<size_t>& into) {
  if (!given(from, key)) return Done{};
  TRY(into, count_of(from.at(key), key, most));
  return Done{};
}

Status read_flag(const object& from, std::string_view key, bool& into) {
  TRY(const auto flag, codec::json_flag_if(from, key));
  if (flag) into = *flag;
  return Done{};
}

Status read_token(const object& from, std::string_view key, std::optional<TokenId>& into) {
  if (!given(from, key)) return Done{};
  const value& found = from.at(key);
  // A list of one is seen in published files (forced_eos_token_id); -1 stands for none in old ones.
  if (found.is_array() && found.as_array().size() == 1) {
    TRY(into, token_of(found.as_array().front(), key));
    return Done{};
  }
  if (found.is_int64() && found.as_int64() < 0) return Done{};
  TRY(into, token_of(found, key));
  return Done{};
}

Status read_tokens(const object& from, std::string_view key, std::vector<TokenId>& into) {
  if (!given(from, key)) return Done{};
  TRY(into, tokens_of(from.at(key), key));
  return Done{};
}

Status read_lengths(const object& from, GenerationSettings& into) {
  TRY_DONE(read_count(from, "max_new_tokens", GenerationSettings::new_tokens_limit, into.new_tokens_max));
  TRY_DONE(read_count(from, "max_length", GenerationSettings::new_tokens_limit, into.length_max));
  TRY_DONE(read_count(from, "min_new_tokens", GenerationSettings::new_tokens_limit, into.new_tokens_min));
  TRY_DONE(read_count(from, "min_length", GenerationSettings::new_tokens_limit, into.length_min));
  return Done{};
}

Status read_early_stopping(const object& from, EarlyStopping& into) {
  if (!given(from, "early_stopping")) return Done{};
  const value& found = from.at("early_stopping");
  if (found.is_bool()) {
    into = found.as_bool() ? EarlyStopping::when_full : EarlyStopping::when_hopeless;
    return Done{};
  }
  if (!found.is_string() || found.as_string() != "never")
    return bad("early_stopping", "true, false or \"never\"");
  into = EarlyStopping::never;
  return Done{};
}

Status read_beams(const object& from, GenerationSettings& into) {
  TRY_DONE(read_flag(from, "do_sample", into.sample));
  TRY_DONE(read_count(from, "num_beams", GenerationSettings::beams_limit, into.beams));
  TRY_DONE(read_count(from, "num_return_sequences", GenerationSettings::beams_limit, into.returned));
  TRY_DONE(read_number(from, "length_penalty", {-100, 100}, into.length_penalty));
  TRY_DONE(read_early_stopping(from, into.early_stopping));
  if (into.beams == 0) return bad("num_beams", "at least 1");
  if (into.returned == 0) return bad("num_return_sequences", "at least 1");
  if (into.beams > 1 && into.returned > into.beams)
    return bad("num_return_sequences", "no more than num_beams");
  if (into.beams == 1 && into.returned > 1 && !into.sample)
    return bad("num_return_sequences", "greedy search has one answer");
  TRY(const auto groups, codec::json_integer_if(from, "num_beam_groups"));
  if (groups.value_or(1) > 1) return bad("num_beam_groups", "groups of beams are not built");
  return Done{};
}

Status read_bias(const object& from, GenerationSettings& into) {
  TRY(const auto* list, codec::json_array_if(from, "sequence_bias"));
  if (list == nullptr) return Done{};
  if (list->size() > biases_limit) return bad("sequence_bias", "too many sequences");
  into.sequence_bias.clear();
  for (const value& entry : *list) {
    if (!entry.is_array() || entry.as_array().size() != 2 || !entry.as_array()[0].is_array() ||
        entry.as_array()[0].as_array().empty() || !entry.as_array()[1].is_number())
      return bad("sequence_bias", "a list of [[tokens], bias]");
    TRY(auto tokens, tokens_of(entry.as_array()[0], "sequence_bias"));
    const double bias = entry.as_array()[1].to_number<double>();
    auto same = std::find_if(into.sequence_bias.begin(), into.sequence_bias.end(),
                             [&](const auto& known) { return known.first == tokens; });
    if (same != into.sequence_bias.end())
      same->second = bias;  // The last one counts.
    else
      into.sequence_bias.emplace_back(std::move(tokens), bias);
  }
  return Done{};
}

Status read_bad_words(const object& from, GenerationSettings& into) {
  TRY(const auto* list, codec::json_array_if(from, "bad_words_ids"));
  if (list == nullptr) return Done{};
  if (list->size() > list_limit) return bad("bad_words_ids", "too many words");
  into.bad_words.clear();
  for (const value& entry : *list) {
    if (!entry.is_array() || entry.as_array().empty())
      return bad("bad_words_ids", "a list of lists of tokens");
    TRY(auto tokens, tokens_of(entry, "bad_words_ids"));
    into.bad_words.push_back(std::move(tokens));
  }
  return Done{};
}

Status read_decay(const object& from, GenerationSettings& into) {
  TRY(const auto* pair, codec::json_array_if(from, "exponential_decay_length_penalty"));
  if (pair == nullptr) return Done{};
  if (pair->size() != 2 || !(*pair)[1].is_number())
    return bad("exponential_decay_length_penalty", "[start, factor]");
  TRY(const size_t start,
      count_of((*pair)[0], "exponential_decay_length_penalty", GenerationSettings::new_tokens_limit));
  into.length_decay = std::pair(start, (*pair)[1].to_number<double>());
  return Done{};
}

Status read_penalties(const object& from, GenerationSettings& into) {
  TRY_DONE(read_positive(from, "encoder_repetition_penalty", into.encoder_repetition_penalty));
  TRY_DONE(read_positive(from, "repetition_penalty", into.repetition_penalty));
  TRY_DONE(read_number(from, "presence_penalty", {-100, 100}, into.presence_penalty));
  TRY_DONE(read_number(from, "frequency_penalty", {-100, 100}, into.frequency_penalty));
  TRY_DONE(read_count(from, "no_repeat_ngram_size", list_limit, into.no_repeat_ngram));
  TRY_DONE(read_count(from, "encoder_no_repeat_ngram_size", list_limit, into.encoder_no_repeat_ngram));
  TRY_DONE(read_flag(from, "remove_invalid_values", into.remove_invalid));
  TRY_DONE(read_flag(from, "renormalize_logits", into.renormalize));
  TRY_DONE(read_bias(from, into));
  TRY_DONE(read_bad_words(from, into));
  TRY_DONE(read_decay(from, into));
  return Done{};
}

Status read_cuts(const object& from, GenerationSettings& into) {
  TRY_DONE(read_positive(from, "temperature", into.temperature));
  TRY_DONE(read_count(from, "top_k", UINT32_MAX, into.top_k));
  TRY_DONE(read_number(from, "top_p", {0, 1}, into.top_p));
  TRY_DONE(read_number(from, "min_p", {0, 1}, into.min_p));
  TRY_DONE(read_number(from, "typical_p", {0, 1}, into.typical_p));
  TRY_DONE(read_number(from, "epsilon_cutoff", {0, 1}, into.epsilon_cutoff));
  TRY_DONE(read_number(from, "eta_cutoff", {0, 1}, into.eta_cutoff));
  if (!given(from, "top_h")) return Done{};
  double top_h = 1;
  TRY_DONE(read_positive(from, "top_h", top_h));
  if (top_h > 1) return bad("top_h", "over 0, at most 1");
  into.top_h = top_h;
  return Done{};
}

}  // namespace

Result<GenerationSettings> parse_generation_settings(const object& from, GenerationSettings into) {
  TRY_DONE(read_lengths(from, into));
  TRY_DONE(read_tokens(from, "eos_token_id", into.end_tokens));
  TRY_DONE(read_token(from, "pad_token_id", into.pad_token));
  TRY_DONE(read_token(from, "forced_bos_token_id", into.forced_begin));
  TRY_DONE(read_token(from, "forced_eos_token_id", into.forced_end));
  TRY_DONE(read_tokens(from, "suppress_tokens", into.suppressed));
  TRY_DONE(read_tokens(from, "begin_suppress_tokens", into.suppressed_at_begin));
  TRY_DONE(read_beams(from, into));
  TRY_DONE(read_penalties(from, into));
  TRY_DONE(read_cuts(from, into));
  TRY(const auto guidance, codec::json_number_if(from, "guidance_scale"));
  if (guidance.value_or(1) != 1) return bad("guidance_scale", "guidance is not built");
  TRY(const auto penalty, codec::json_number_if(from, "penalty_alpha"));
  if (penalty.value_or(0) != 0) return bad("penalty_alpha", "contrastive search is not built");
  TRY(const auto seed, codec::json_integer_if(from, "seed"));
  if (seed) into.seed = static_cast<uint64_t>(*seed);
  return into;
}

}  // namespace holdfast::model
