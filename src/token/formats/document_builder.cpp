#include "token/formats/document_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "codec/json.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Calls take(part) for each part between spaces.
template <class Take>
void each_part(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

object to_json(const AddedToken& token) {
  object out;
  out["id"] = int64_t{token.id};
  out["content"] = token.content;
  out["single_word"] = token.single_word;
  out["lstrip"] = token.lstrip;
  out["rstrip"] = token.rstrip;
  out["normalized"] = token.normalized;
  out["special"] = token.special;
  return out;
}

}  // namespace

object part(std::string_view kind, object fields) {
  object out;
  out["type"] = kind;
  for (auto& field : fields) out[field.key()] = std::move(field.value());
  return out;
}

object sequence(std::string_view key, array parts) {
  object out;
  out["type"] = "Sequence";
  out[key] = std::move(parts);
  return out;
}

namespace {

// Vocabularies of models: an object of ids, or an array of [piece, score].
Status check_vocabulary(const value& vocabulary) {
  const auto refuse = [] {
    return fail(Reason::bad_request, "model.vocab is neither ids nor pieces with scores");
  };
  if (vocabulary.is_object()) {
    for (const auto& [token, id] : vocabulary.get_object())
      if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > UINT32_MAX) return refuse();
    return Done{};
  }
  if (!vocabulary.is_array()) return refuse();
  for (const value& row : vocabulary.get_array())
    if (!row.is_array() || row.get_array().empty() || !row.get_array()[0].is_string()) return refuse();
  return Done{};
}

value taken(object& document, std::string_view key) {
  value* found = document.if_contains(key);
  return found == nullptr ? value() : std::move(*found);
}

}  // namespace

Result<DocumentBuilder> DocumentBuilder::over(object document, const ModelTables* apart) {
  value* model = document.if_contains("model");
  if (model == nullptr || !model->is_object())
    return fail(Reason::bad_request, "the document has no 'model'");
  const value* vocabulary = model->get_object().if_contains("vocab");
  if (vocabulary == nullptr) return fail(Reason::bad_request, "the document has no 'model.vocab'");
  TRY_DONE(check_vocabulary(*vocabulary));
  DocumentBuilder out(std::move(model->get_object()), apart);
  TRY(const array* listed, codec::json_array_if(document, "added_tokens"));
  if (listed != nullptr) {
    for (const value& row : *listed) {
      if (!row.is_object())
        return fail(Reason::bad_request, "'added_tokens' holds something that is no object");
      TRY(AddedToken token, added_token_of(row.get_object()));
      out.add(std::move(token));
    }
  }
  out.normalizer = taken(document, "normalizer");
  out.pre_tokenizer = taken(document, "pre_tokenizer");
  out.post_processor = taken(document, "post_processor");
  out.decoder = taken(document, "decoder");
  out.truncation = taken(document, "truncation");
  out.padding = taken(document, "padding");
  return out;
}

DocumentBuilder::DocumentBuilder(object model, const ModelTables* apart)
    : model_(std::move(model)), apart_(apart) {
  // A Unigram vocabulary counts its rows, equal pieces too.
  const auto put = [&](std::string_view piece) { rows_[piece] = static_cast<uint32_t>(next_id_++); };
  if (apart_ != nullptr && apart_->vocabulary) {
    next_id_ = apart_->vocabulary->size();
    return;
  }
  if (apart_ != nullptr && apart_->pieces) {
    rows_.reserve(apart_->pieces->size());
    for (const auto& [piece, score] : *apart_->pieces) put(piece);
    return;
  }
  const value* vocabulary = model_.if_contains("vocab");
  if (vocabulary != nullptr && vocabulary->is_object()) {
    next_id_ = vocabulary->get_object().size();
  } else if (vocabulary != nullptr && vocabulary->is_array()) {
    rows_.reserve(vocabulary->get_array().size());
    for (const value& row : vocabulary->get_array()) put(row.get_array()[0].get_string());
  }
}

std::optional<uint32_t> DocumentBuilder::row_of(std::string_view token) const {
  if (apart_ != nullptr && apart_->vocabulary) return apart_->vocabulary->id_of(token);
  if (const auto found = rows_.find(token); found != rows_.end()) return found->second;
  const value* vocabulary = model_.if_contains("vocab");
  if (vocabulary == nullptr || !vocabulary->is_object()) return std::nullopt;
  const value* id = vocabulary->get_object().if_contains(token);
  if (id == nullptr) return std::nullopt;
  return static_cast<uint32_t>(id->to_number<int64_t>());
}

std::optional<uint32_t> DocumentBuilder::id_of(std::string_view token) const {
  const auto found = added_rows_.find(std::string(token));
  return found != added_rows_.end() ? added_[found->second].id : row_of(token);
}

void DocumentBuilder::add(AddedToken token) {
  if (token.content.empty()) return;
  if (const auto known = id_of(token.content)) {
    token.id = *known;
  } else {
    token.id = static_cast<uint32_t>(next_id_);
  }
  next_id_ = std::max<uint64_t>(next_id_, uint64_t{token.id} + 1);
  const auto [row, is_new] = added_rows_.emplace(token.content, added_.size());
  if (is_new)
    added_.push_back(std::move(token));
  else
    added_[row->second] = std::move(token);
}

void DocumentBuilder::add_configured(const TokenizerConfig& config, std::string_view defaults) {
  for (const AddedToken& token : config.added) add(token);
  std::map<std::string, AddedToken, std::less<>> by_role;
  std::vector<std::string> order;
  each_part(defaults, [&](std::string_view pair) {
    const bool lstrip = pair.starts_with('<');
    if (lstrip) pair.remove_prefix(1);
    const size_t colon = pair.find(':');
    const std::string role = std::string(pair.substr(0, colon)) + "_token";
    AddedToken token;
    if (const AddedToken* given = config.special(role)) {
      token = *given;
    } else {
      token.content = pair.substr(colon + 1);
      token.normalized = false;
      token.lstrip = lstrip;
    }
    token.special = true;
    by_role.insert_or_assign(role, std::move(token));
    order.push_back(role);
  });
  for (const auto& [role, given] : config.specials) {
    if (by_role.contains(role)) continue;
    AddedToken token = given;
    token.special = true;
    by_role.emplace(role, std::move(token));
    order.push_back(role);
  }
  const auto is_added = [&](const AddedToken& token) { return added_rows_.contains(token.content); };
  for (const auto& [token, id] : config.added_ids) {
    AddedToken plain;
    plain.content = token;
    plain.special =
        std::ranges::any_of(by_role, [&](const auto& row) { return row.second.content == token; });
    plain.normalized = !plain.special;
    if (!is_added(plain)) add(std::move(plain));
  }
  for (const std::string& role : order) {
    const AddedToken& token = by_role.at(role);
    roles_[role] = token.content;
    if (!is_added(token)) add(token);
  }
  for (const AddedToken& token : config.additional_specials)
    if (!is_added(token)) add(token);
}

std::string DocumentBuilder::special(std::string_view role) const {
  const auto found = roles_.find(std::string(role) + "_token");
  return found == roles_.end() ? "" : found->second;
}

Status DocumentBuilder::set_template(std::string_view single, std::string_view pair) {
  std::map<std::string, uint32_t> named;
  std::string missing;
  const auto parse = [&](std::string_view text) {
    array out;
    each_part(text, [&](std::string_view piece) {
      int64_t type_id = 0;
      const size_t colon = piece.rfind(':');
      if (colon != std::string_view::npos && colon + 2 == piece.size() && piece.back() >= '0' &&
          piece.back() <= '9') {
        type_id = piece.back() - '0';
        piece = piece.substr(0, colon);
      }
      if (piece == "$A" || piece == "$B") {
        out.push_back(object{{"Sequence", object{{"id", piece.substr(1)}, {"type_id", type_id}}}});
        return;
      }
      const bool is_role = piece.starts_with('{');
      const std::string token = is_role ? special(piece.substr(1, piece.size() - 2)) : std::string(piece);
      if (const auto id = id_of(token))
        named[token] = *id;
      else
        missing = token.empty() ? std::string(piece) : token;
      out.push_back(object{{"SpecialToken", object{{"id", token}, {"type_id", type_id}}}});
    });
    return out;
  };
  array first = parse(single), both = parse(pair);
  if (!missing.empty())
    return fail(Reason::bad_request, fmt::format("the tokenizer adds '{}', which is not in its vocabulary",
                                                 missing.substr(0, 60)));
  object tokens;
  for (const auto& [token, id] : named)
    tokens[token] = object{{"id", token}, {"ids", array{int64_t{id}}}, {"tokens", array{token}}};
  post_processor = part(
      "TemplateProcessing",
      object{{"single", std::move(first)}, {"pair", std::move(both)}, {"special_tokens", std::move(tokens)}});
  return Done{};
}

Status DocumentBuilder::set_bos_eos(bool bos, bool eos) {
  bos = bos && !special("bos").empty();
  eos = eos && !special("eos").empty();
  const std::string single = fmt::format("{}$A:0{}", bos ? "{bos}:0 " : "", eos ? " {eos}:0" : "");
  const std::string pair = fmt::format("{}{} $B:1{}", single, bos ? " {bos}:1" : "", eos ? " {eos}:1" : "");
  return set_template(single, pair);
}

object DocumentBuilder::build() && {
  std::ranges::sort(added_, {}, &AddedToken::id);
  array added;
  for (const AddedToken& token : added_) added.push_back(to_json(token));
  object out;
  out["version"] = "1.0";
  out["truncation"] = std::move(truncation);
  out["padding"] = std::move(padding);
  out["added_tokens"] = std::move(added);
  out["normalizer"] = std::move(normalizer);
  out["pre_tokenizer"] = std::move(pre_tokenizer);
  out["post_processor"] = std::move(post_processor);
  out["decoder"] = std::move(decoder);
  out["model"] = std::move(model_);
  return out;
}

}  // namespace holdfast::token
