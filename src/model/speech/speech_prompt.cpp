#include "model/speech/speech_prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/speech/spoken_languages.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

Result<std::optional<TokenId>> read_token(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return std::optional<TokenId>();
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > INT32_MAX)
    return fail(Reason::bad_request, fmt::format("generation_config.json: {} is no token", key));
  return std::optional<TokenId>(static_cast<TokenId>(value->get_int64()));
}

// {"<|en|>": 50259} or {"transcribe": 50359}
Result<std::map<std::string, TokenId>> read_names(const json::object& from, std::string_view key) {
  std::map<std::string, TokenId> out;
  TRY(const json::object* names, codec::json_object_if(from, key));
  if (names == nullptr) return out;
  for (const auto& [name, value] : *names) {
    std::string_view bare = name;
    if (bare.starts_with("<|") && bare.ends_with("|>") && bare.size() > 4)
      bare = bare.substr(2, bare.size() - 4);
    TRY(const auto token, read_token(*names, name));
    if (token) out[std::string(bare)] = *token;
  }
  return out;
}

// [[1, 50259], [2, null]]: places from 1 on, null is what is to be found out.
Result<std::vector<std::optional<TokenId>>> read_forced(const json::object& from) {
  std::vector<std::optional<TokenId>> out;
  TRY(const json::array* list, codec::json_array_if(from, "forced_decoder_ids"));
  if (list == nullptr) return out;
  const auto bad = fail(Reason::bad_request, "forced_decoder_ids are not [place, token] from place 1 on");
  for (const json::value& one : *list) {
    if (!one.is_array() || one.get_array().size() != 2) return bad;
    const json::array& pair = one.get_array();
    if (!pair[0].is_int64() || pair[0].get_int64() != static_cast<int64_t>(out.size()) + 1) return bad;
    if (pair[1].is_null()) {
      out.emplace_back(std::nullopt);
      continue;
    }
    if (!pair[1].is_int64() || pair[1].get_int64() < 0 || pair[1].get_int64() > INT32_MAX) return bad;
    out.emplace_back(static_cast<TokenId>(pair[1].get_int64()));
  }
  return out;
}

Result<TokenId> language_token(const SpeechTokens& tokens, std::string_view said) {
  std::string_view bare = said;
  if (bare.starts_with("<|") && bare.ends_with("|>") && bare.size() > 4)
    bare = bare.substr(2, bare.size() - 4);
  const std::string_view code = language_code(bare);
  const auto found = tokens.languages.find(std::string(code.empty() ? bare : code));
  if (found == tokens.languages.end())
    return fail(Reason::bad_request,
                fmt::format("the model does not know the language '{}'", said.substr(0, 60)));
  return found->second;
}

}  // namespace

Result<SpeechTokens> read_speech_tokens(const json::object& generation, const json::object& config) {
  SpeechTokens out;
  TRY(auto start, read_token(generation, "decoder_start_token_id"));
  if (!start) {
    TRY(start, read_token(config, "decoder_start_token_id"));
  }
  if (!start) return fail(Reason::bad_request, "neither configuration says decoder_start_token_id");
  out.start = *start;
  TRY(out.no_timestamps, read_token(generation, "no_timestamps_token_id"));
  TRY(out.before, read_token(generation, "prev_sot_token_id"));
  TRY(out.languages, read_names(generation, "lang_to_id"));
  TRY(out.tasks, read_names(generation, "task_to_id"));
  TRY(out.forced, read_forced(generation));
  const json::value* said = generation.if_contains("forced_decoder_ids");
  if (said == nullptr || said->is_null()) {
    TRY(out.forced, read_forced(config));
  }
  TRY(const auto language, codec::json_text_if(generation, "language"));
  if (language) out.language = std::string(*language);
  TRY(const auto task, codec::json_text_if(generation, "task"));
  if (task) out.task = std::string(*task);
  TRY(const auto first, codec::json_number_if(generation, "max_initial_timestamp_index"));
  if (first && *first >= 0 && *first < 1e6) out.first_time_max = static_cast<size_t>(*first);
  TRY(const auto timestamps, codec::json_flag_if(generation, "return_timestamps"));
  out.timestamps = timestamps.value_or(false);
  out.says_beams = generation.contains("num_beams");
  return out;
}

Result<std::optional<std::vector<TokenId>>> speech_prompt(const SpeechTokens& tokens, const SpeechWish& wish,
                                                          std::optional<TokenId> heard) {
  const std::optional<std::string> language = wish.language ? wish.language : tokens.language;
  const std::optional<std::string> task = wish.task ? wish.task : tokens.task;
  std::vector<std::optional<TokenId>> out = {tokens.start};
  if (!language && !task) out.insert(out.end(), tokens.forced.begin(), tokens.forced.end());
  std::optional<TokenId> spoken;
  if (language) {
    TRY(spoken, language_token(tokens, *language));
  } else if (!tokens.languages.empty() && (out.size() == 1 || !out[1])) {
    if (!heard) return std::optional<std::vector<TokenId>>();
    spoken = heard;
  }
  if (spoken) {
    if (out.size() > 1)
      out[1] = spoken;
    else
      out.emplace_back(spoken);
  }
  const auto is_task = [&](std::optional<TokenId> token) {
    return std::any_of(tokens.tasks.begin(), tokens.tasks.end(),
                       [&](const auto& one) { return one.second == token; });
  };
  const bool has_task = std::any_of(out.begin(), out.end(), is_task);
  if (task) {
    const auto found = tokens.tasks.find(*task);
    if (found == tokens.tasks.end())
      return fail(Reason::bad_request, fmt::format("the model does not {}", task->substr(0, 60)));
    if (!has_task) out.emplace_back(found->second);
    for (auto& token : out)
      if (is_task(token)) token = found->second;
  } else if (language && !has_task) {
    if (const auto found = tokens.tasks.find("transcribe"); found != tokens.tasks.end())
      out.emplace_back(found->second);
  }
  if (!wish.timestamps && tokens.no_timestamps && out.back() != tokens.no_timestamps)
    out.emplace_back(tokens.no_timestamps);
  else if (wish.timestamps && out.back() == tokens.no_timestamps)
    out.pop_back();
  std::vector<TokenId> prompt;
  for (const auto& token : out)
    if (token) prompt.push_back(*token);
  return std::optional(std::move(prompt));
}

}  // namespace holdfast::model
