#include "token/formats/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "codec/json.h"

namespace holdfast::token {
namespace {

using boost::json::object;
using boost::json::value;

constexpr uint64_t file_bytes_max = 64 << 20;
constexpr size_t templates_max = 256;
constexpr double no_length = 1e15;  // transformers writes 1e30 for "no bound".

// The order of transformers' SPECIAL_TOKENS_ATTRIBUTES.
constexpr std::string_view roles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                      "pad_token", "cls_token", "mask_token"};

// A token is its text, or an object with flags. Nothing of another type.
Result<std::optional<AddedToken>> token_of(const value& json) {
  AddedToken token;
  token.normalized = false;
  token.special = true;
  if (json.is_string()) {
    token.content = json.get_string();
    return std::optional(token);
  }
  if (!json.is_object()) return std::optional<AddedToken>();
  const object& fields = json.get_object();
  TRY(const std::string_view content, codec::json_text(fields, "content"));
  TRY(const auto single_word, codec::json_flag_if(fields, "single_word"));
  TRY(const auto lstrip, codec::json_flag_if(fields, "lstrip"));
  TRY(const auto rstrip, codec::json_flag_if(fields, "rstrip"));
  TRY(const auto normalized, codec::json_flag_if(fields, "normalized"));
  TRY(const auto special, codec::json_flag_if(fields, "special"));
  token.content = content;
  token.single_word = single_word.value_or(false);
  token.lstrip = lstrip.value_or(false);
  token.rstrip = rstrip.value_or(false);
  token.special = special.value_or(true);
  token.normalized = normalized.value_or(!token.special);
  return std::optional(token);
}

std::optional<uint32_t> number_of(std::string_view text) {
  uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status read_specials(const object& json, TokenizerConfig& out) {
  for (const std::string_view role : roles) {
    const value* found = json.if_contains(role);
    if (found == nullptr || out.special(role) != nullptr) continue;
    TRY(auto token, token_of(*found));
    if (token) out.specials.emplace_back(role, std::move(*token));
  }
  for (const std::string_view key : {"additional_special_tokens", "extra_special_tokens"}) {
    const value* list = json.if_contains(key);
    if (list == nullptr || !list->is_array()) continue;
    for (const value& item : list->get_array()) {
      TRY(auto token, token_of(item));
      if (!token) continue;
      token->special = true;
      if (std::ranges::find(out.additional_specials, token->content, &AddedToken::content) ==
          out.additional_specials.end())
        out.additional_specials.push_back(std::move(*token));
    }
  }
  return Done{};
}

Status read_added(const object& json, TokenizerConfig& out) {
  TRY(const object* decoder, codec::json_object_if(json, "added_tokens_decoder"));
  if (decoder == nullptr) return Done{};
  for (const auto& [key, item] : *decoder) {
    const auto id = number_of(key);
    TRY(auto token, token_of(item));
    if (!id || !token) return fail(Reason::bad_request, "'added_tokens_decoder' has a key that is no id");
    token->id = *id;
    if (item.is_object() && !item.get_object().contains("special")) token->special = false;
    out.added.push_back(std::move(*token));
  }
  std::ranges::sort(out.added, {}, &AddedToken::id);
  return Done{};
}

Status read_flags(const object& json, TokenizerConfig& out) {
  const std::pair<std::string_view, std::optional<bool>*> flags[] = {
      {"add_bos_token", &out.add_bos_token},
      {"add_eos_token", &out.add_eos_token},
      {"add_prefix_space", &out.add_prefix_space},
      {"legacy", &out.legacy},
      {"do_lower_case", &out.do_lower_case},
      {"strip_accents", &out.strip_accents},
      {"tokenize_chinese_chars", &out.tokenize_chinese_chars},
      {"keep_accents", &out.keep_accents},
      {"split_by_punct", &out.split_by_punct},
  };
  for (const auto& [key, flag] : flags) {
    TRY(const auto read, codec::json_flag_if(json, key));
    if (read) *flag = read;
  }
  TRY(out.extra_ids, codec::json_integer_if(json, "extra_ids"));
  TRY(out.offset, codec::json_integer_if(json, "offset"));
  TRY(const auto length, codec::json_number_if(json, "model_max_length"));
  if (length && *length >= 0 && *length < no_length) out.model_max_length = static_cast<uint64_t>(*length);
  const std::pair<std::string_view, std::optional<std::string>*> sides[] = {
      {"padding_side", &out.padding_side}, {"truncation_side", &out.truncation_side}};
  for (const auto& [key, side] : sides) {
    TRY(const auto text, codec::json_text_if(json, key));
    if (text) *side = std::string(*text);
  }
  TRY(const boost::json::array* names, codec::json_array_if(json, "model_input_names"));
  if (names != nullptr) {
    out.model_input_names.emplace();
    for (const boost::json::value& name : *names)
      if (name.is_string()) out.model_input_names->emplace_back(name.get_string());
  }
  return Done{};
}

void set_template(TokenizerConfig& out, std::string_view name, std::string text) {
  const auto found = std::ranges::find(out.chat_templates, name, &ChatTemplate::name);
  if (found != out.chat_templates.end())
    found->text = std::move(text);
  else if (out.chat_templates.size() < templates_max)
    out.chat_templates.push_back({std::string(name), std::move(text)});
}

Status read_templates(const object& json, TokenizerConfig& out) {
  const value* found = json.if_contains("chat_template");
  if (found == nullptr || found->is_null()) return Done{};
  if (found->is_string()) {
    set_template(out, "default", std::string(found->get_string()));
    return Done{};
  }
  if (found->is_object()) {
    for (const auto& [name, text] : found->get_object())
      if (text.is_string()) set_template(out, name, std::string(text.get_string()));
    return Done{};
  }
  if (!found->is_array()) return fail(Reason::bad_request, "'chat_template' is neither text nor a list");
  for (const value& item : found->get_array()) {
    if (!item.is_object())
      return fail(Reason::bad_request, "'chat_template' holds something that is no object");
    TRY(const std::string_view name, codec::json_text(item.get_object(), "name"));
    TRY(const std::string_view text, codec::json_text(item.get_object(), "template"));
    set_template(out, name, std::string(text));
  }
  return Done{};
}

Result<std::optional<std::string>> read_if(io::Disk& disk, const io::Path& path) {
  auto text = io::read_text(disk, path, file_bytes_max);
  if (text.ok()) return std::optional(std::move(text).value());
  if (text.error().code == Code::not_found) return std::optional<std::string>();
  return std::move(text).error();
}

Result<std::optional<object>> read_json_if(io::Disk& disk, const io::Path& path) {
  TRY(const auto text, read_if(disk, path));
  if (!text) return std::optional<object>();
  auto json = codec::parse_json_object(*text, {.depth_max = 64, .bytes_max = file_bytes_max});
  if (!json.ok())
    return fail(Reason::bad_request, fmt::format("{}: {}", path.filename().string(), json.error().message));
  return std::optional(std::move(json).value());
}

// Files of templates count more than what is written in JSON.
Status read_template_files(io::Disk& disk, const io::Path& folder, TokenizerConfig& out) {
  TRY(const auto old, read_json_if(disk, folder / "chat_template.json"));
  if (old && out.chat_templates.empty()) TRY_DONE(read_templates(*old, out));
  TRY(auto text, read_if(disk, folder / "chat_template.jinja"));
  if (text) set_template(out, "default", std::move(*text));
  const io::Path more = folder / "additional_chat_templates";
  auto entries = disk.list(more);
  if (!entries.ok()) return Done{};
  for (const io::Entry& entry : entries.value()) {
    const io::Path name(entry.name);
    if (entry.is_directory || name.extension() != ".jinja") continue;
    TRY(auto one, read_if(disk, more / name));
    if (one) set_template(out, name.stem().string(), std::move(*one));
  }
  return Done{};
}

}  // namespace

const AddedToken* TokenizerConfig::special(std::string_view role) const {
  for (const auto& [name, token] : specials)
    if (name == role) return &token;
  return nullptr;
}

const std::string* TokenizerConfig::chat_template(std::string_view name) const {
  for (const ChatTemplate& one : chat_templates)
    if (one.name == name) return &one.text;
  return nullptr;
}

bool TokenizerConfig::gives_type_ids() const {
  // transformers 5.23: the classes whose model_input_names have token_type_ids, and the models these stand
  // for.
  constexpr std::string_view classes[] = {"Bert",
                                          "Canine",
                                          "ConvBert",
                                          "DPRContextEncoder",
                                          "DPRQuestionEncoder",
                                          "Deberta",
                                          "DebertaV2",
                                          "Electra",
                                          "FNet",
                                          "LayoutLM",
                                          "LayoutLMv2",
                                          "Lxmert",
                                          "MarkupLM",
                                          "MobileBert",
                                          "SqueezeBert",
                                          "Tapas"};
  constexpr std::string_view models[] = {
      "bert",     "canine",        "convbert",   "deberta",    "deberta-v2",  "distilbert",
      "dpr",      "electra",       "ernie",      "fnet",       "layoutlm",    "lxmert",
      "markuplm", "megatron-bert", "mobilebert", "nomic_bert", "squeezebert", "tapas"};
  if (model_input_names)
    return std::ranges::find(*model_input_names, "token_type_ids") != model_input_names->end();
  if (tokenizer_class.empty()) return std::ranges::find(models, model_type) != std::end(models);
  std::string_view name = tokenizer_class;
  if (!name.ends_with("Tokenizer")) return false;
  name.remove_suffix(std::string_view("Tokenizer").size());
  return std::ranges::find(classes, name) != std::end(classes);
}

Result<TokenizerConfig> parse_tokenizer_config(const object& json) {
  TokenizerConfig out;
  TRY(const auto name, codec::json_text_if(json, "tokenizer_class"));
  std::string_view bare = name.value_or("");
  if (bare.ends_with("Fast")) bare.remove_suffix(4);
  out.tokenizer_class = bare;
  TRY_DONE(read_specials(json, out));
  TRY_DONE(read_added(json, out));
  TRY_DONE(read_flags(json, out));
  TRY_DONE(read_templates(json, out));
  return out;
}

Result<TokenizerConfig> read_tokenizer_config(io::Disk& disk, const io::Path& folder) {
  TokenizerConfig out;
  TRY(const auto json, read_json_if(disk, folder / "tokenizer_config.json"));
  if (json) {
    auto parsed = parse_tokenizer_config(*json);
    if (!parsed.ok()) return fail(Reason::bad_request, "tokenizer_config.json: " + parsed.error().message);
    out = std::move(parsed).value();
  }
  TRY(const auto specials, read_json_if(disk, folder / "special_tokens_map.json"));
  if (specials) TRY_DONE(read_specials(*specials, out));
  TRY(const auto added, read_json_if(disk, folder / "added_tokens.json"));
  if (added && out.added.empty()) {
    for (const auto& [token, id] : *added)
      if (id.is_int64() && id.get_int64() >= 0 && id.get_int64() <= UINT32_MAX)
        out.added_ids.emplace_back(token, static_cast<uint32_t>(id.get_int64()));
    std::ranges::sort(out.added_ids, {}, &std::pair<std::string, uint32_t>::second);
  }
  TRY(const auto model, read_json_if(disk, folder / "config.json"));
  if (model) {
    TRY(const auto type, codec::json_text_if(*model, "model_type"));
    out.model_type = type.value_or("");
  }
  TRY_DONE(read_template_files(disk, folder, out));
  return out;
}

}  // namespace holdfast::token
