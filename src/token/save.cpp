#include "token/save.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "token/part_kinds.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr int depth_max = 8;

Error refuse(std::string message) { return fail(Reason::bad_request, std::move(message)); }

Result<value> canonical_part(value part, Stage stage, int depth);

// The fields of `kind` in its order; what it does not know follows in the file's order.
object in_order(object part, const PartKind& kind) {
  object out;
  if (!kind.type.empty()) out["type"] = kind.type;
  for (const PartField& field : kind.fields) {
    value* found = part.if_contains(field.name);
    out[field.name] = found != nullptr ? std::move(*found) : field.default_value();
  }
  for (auto& item : part)
    if (!out.contains(item.key()) && !kind.is_legacy(item.key())) out[item.key()] = std::move(item.value());
  return out;
}

void mend_metaspace(object& part) {
  const value* old = part.if_contains("add_prefix_space");
  if (!part.contains("prepend_scheme") && old != nullptr && old->is_bool())
    part["prepend_scheme"] = old->get_bool() ? "always" : "never";
}

// {"Regex": …} and {"String": …}; a bare text is a string.
void mend_pattern(object& part) {
  value* pattern = part.if_contains("pattern");
  if (pattern != nullptr && pattern->is_string()) *pattern = object{{"String", std::move(*pattern)}};
}

void sort_special_tokens(object& part) {
  value* tokens = part.if_contains("special_tokens");
  if (tokens == nullptr || !tokens->is_object()) return;
  std::vector<std::string> names;
  for (const auto& item : tokens->get_object()) names.emplace_back(item.key());
  std::ranges::sort(names);
  object sorted;
  for (const std::string& name : names) sorted[name] = tokens->get_object()[name];
  *tokens = std::move(sorted);
}

Result<value> canonical_part(value part, Stage stage, int depth) {
  if (part.is_null()) return part;
  if (!part.is_object()) return refuse("a part of the tokenizer is not an object");
  if (depth == depth_max) return refuse("the tokenizer's sequences nest too deep");
  object json = std::move(part.get_object());
  const PartKind* kind = find_part_kind(stage, json);
  if (kind == nullptr) return value(std::move(json));
  if (kind->type == "Metaspace") mend_metaspace(json);
  mend_pattern(json);
  if (kind->type == "TemplateProcessing") sort_special_tokens(json);
  object out = in_order(std::move(json), *kind);
  if (kind->type == "Sequence") {
    value* steps = out.if_contains(kind->fields[0].name);
    if (steps == nullptr || !steps->is_array()) return refuse("a sequence has no list of parts");
    for (value& step : steps->get_array()) {
      TRY(step, canonical_part(std::move(step), stage, depth + 1));
    }
  }
  return value(std::move(out));
}

Result<object> vocabulary_by_id(const object& vocabulary) {
  std::vector<std::pair<int64_t, std::string_view>> rows;
  for (const auto& item : vocabulary) {
    if (!item.value().is_int64()) return refuse("model.vocab holds an id that is no number");
    rows.emplace_back(item.value().get_int64(), item.key());
  }
  std::ranges::sort(rows);
  object out;
  out.reserve(rows.size());
  for (const auto& [id, token] : rows) out[token] = id;
  return out;
}

Status merges_as_pairs(array& merges) {
  while (!merges.empty() && merges.front().is_string() &&
         std::string_view(merges.front().get_string()).starts_with("#version"))
    merges.erase(merges.begin());
  for (value& merge : merges) {
    if (!merge.is_string()) continue;
    const std::string text(merge.get_string());
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      return refuse("model.merges holds something that is not two tokens");
    merge = array{text.substr(0, space), text.substr(space + 1)};
  }
  return Done{};
}

// Scores are doubles: whole ones are spelt alike.
void scores_as_doubles(array& pieces) {
  for (value& piece : pieces)
    if (piece.is_array() && piece.get_array().size() == 2 && piece.get_array()[1].is_int64())
      piece.get_array()[1] = static_cast<double>(piece.get_array()[1].get_int64());
}

Result<value> canonical_model(value model) {
  if (!model.is_object()) return refuse("the tokenizer has no 'model'");
  TRY(value made, canonical_part(std::move(model), Stage::model, 0));
  object& json = made.get_object();
  value* vocabulary = json.if_contains("vocab");
  if (vocabulary != nullptr && vocabulary->is_object()) {
    TRY(*vocabulary, vocabulary_by_id(vocabulary->get_object()));
  } else if (vocabulary != nullptr && vocabulary->is_array()) {
    scores_as_doubles(vocabulary->get_array());
  }
  if (value* merges = json.if_contains("merges"); merges != nullptr && merges->is_array())
    TRY_DONE(merges_as_pairs(merges->get_array()));
  return made;
}

Result<value> canonical_added(value added) {
  if (added.is_null()) return value(array());
  if (!added.is_array()) return refuse("'added_tokens' is no list");
  for (value& token : added.get_array()) {
    if (!token.is_object()) return refuse("an added token is not an object");
    const value* special = token.get_object().if_contains("special");
    const bool is_special = special != nullptr && special->is_bool() && special->get_bool();
    object made = in_order(std::move(token.get_object()), added_token_kind());
    if (made["normalized"].is_null()) made["normalized"] = !is_special;
    token = std::move(made);
  }
  std::ranges::stable_sort(added.get_array(), {}, [](const value& token) {
    const value* id = token.get_object().if_contains("id");
    return id != nullptr && id->is_int64() ? id->get_int64() : int64_t{-1};
  });
  return added;
}

// Keys sorted in every object, so that the text depends on the content only. Depth is that of the parser.
value sorted(const value& json) {
  if (json.is_array()) {
    array out;
    out.reserve(json.get_array().size());
    for (const value& item : json.get_array()) out.push_back(sorted(item));
    return out;
  }
  if (!json.is_object()) return json;
  std::vector<std::string_view> keys;
  for (const auto& item : json.get_object()) keys.push_back(item.key());
  std::ranges::sort(keys);
  object out;
  out.reserve(keys.size());
  for (const std::string_view key : keys) out[key] = sorted(json.get_object().at(key));
  return out;
}

}  // namespace

Result<object> canonical_document(object document) {
  const auto take = [&](std::string_view key) {
    value* found = document.if_contains(key);
    return found == nullptr ? value() : std::move(*found);
  };
  object out;
  value version = take("version");
  out["version"] = version.is_string() ? std::move(version) : value("1.0");
  out["truncation"] = take("truncation");
  out["padding"] = take("padding");
  TRY(out["added_tokens"], canonical_added(take("added_tokens")));
  TRY(out["normalizer"], canonical_part(take("normalizer"), Stage::normalizer, 0));
  TRY(out["pre_tokenizer"], canonical_part(take("pre_tokenizer"), Stage::pre_tokenizer, 0));
  TRY(out["post_processor"], canonical_part(take("post_processor"), Stage::post_processor, 0));
  TRY(out["decoder"], canonical_part(take("decoder"), Stage::decoder, 0));
  TRY(out["model"], canonical_model(take("model")));
  return out;
}

Result<std::string> saved_tokenizer_json(object document) {
  TRY(const object canonical, canonical_document(std::move(document)));
  return codec::to_pretty_text(canonical);
}

Result<std::string> tokenizer_digest(object document) {
  TRY(object canonical, canonical_document(std::move(document)));
  canonical.erase("version");
  const std::string text = "holdfast tokenizer 1\n" + codec::to_text(sorted(canonical));
  return codec::to_hex(codec::sha256(as_bytes(text)));
}

}  // namespace holdfast::token
