#include "model/gguf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <unordered_map>

#include "codec/json.h"
#include "token/formats/gguf_pre_tokenizers.h"
#include "token/formats/split_patterns.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

// llama.cpp's token types.
enum TokenType : int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

Error no_name(std::string_view what) {
  return fail(Reason::model_unsupported, fmt::format("a GGUF file cannot say {}", what));
}

std::string_view text_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}
bool flag_at(const json::object& from, std::string_view key, bool otherwise) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}
const json::object* object_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}
const json::array* array_at(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

// The steps of a part that may be a sequence.
std::vector<const json::object*> steps_of(const json::object& document, std::string_view part,
                                          std::string_view list) {
  std::vector<const json::object*> out;
  const json::object* one = object_at(document, part);
  if (one == nullptr) return out;
  const json::array* several = array_at(*one, list);
  if (several == nullptr) return {one};
  for (const json::value& step : *several)
    if (step.is_object()) out.push_back(&step.get_object());
  return out;
}

// How text is cut before byte-level BPE, pattern after pattern.
Result<std::vector<std::string>> patterns_of(const json::object& document) {
  std::vector<std::string> out;
  for (const json::object* step : steps_of(document, "pre_tokenizer", "pretokenizers")) {
    const std::string_view type = text_at(*step, "type");
    if (type == "Split") {
      const json::object* pattern = object_at(*step, "pattern");
      if (pattern == nullptr || text_at(*step, "behavior") != "Isolated" || flag_at(*step, "invert", false))
        return no_name("how this tokenizer splits");
      out.emplace_back(text_at(*pattern, "Regex"));
    } else if (type == "Digits" && flag_at(*step, "individual_digits", false)) {
      out.emplace_back(token::digit_pattern);
    } else if (type == "ByteLevel") {
      if (flag_at(*step, "use_regex", true)) out.emplace_back(token::gpt2_pattern);
    } else {
      return no_name(fmt::format("the pre-tokenizer '{}'", type.substr(0, 40)));
    }
  }
  return out;
}

Result<std::string_view> name_of_cuts(const json::object& document, bool ignore_merges) {
  constexpr std::string_view names[] = {"llama-bpe", "dbrx",   "tekken", "qwen2",      "qwen35",
                                        "gpt-4o",    "smollm", "falcon", "deepseek-v3"};
  TRY(const std::vector<std::string> patterns, patterns_of(document));
  if (patterns.size() == 1 && patterns[0] == token::gpt2_pattern) return std::string_view("gpt-2");
  std::string_view found;
  for (const std::string_view name : names) {
    const token::GgufPreTokenizer cuts = token::gguf_pre_tokenizer(name);
    if (!std::equal(cuts.patterns.begin(), cuts.patterns.end(), patterns.begin(), patterns.end())) continue;
    if (cuts.ignore_merges == ignore_merges) return name;
    if (found.empty()) found = name;
  }
  if (found.empty()) return no_name("how this tokenizer cuts text into words");
  return found;
}

bool is_byte_piece(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

// Whether a space is put before the text.
bool puts_space_first(const json::object& document) {
  for (const json::object* step : steps_of(document, "normalizer", "normalizers"))
    if (text_at(*step, "type") == "Prepend") return true;
  for (const json::object* step : steps_of(document, "pre_tokenizer", "pretokenizers"))
    if (text_at(*step, "type") == "Metaspace") {
      const std::string_view scheme = text_at(*step, "prepend_scheme");
      return scheme.empty() ? flag_at(*step, "add_prefix_space", true) : scheme != "never";
    }
  return false;
}

}  // namespace

void GgufVocabulary::add_numbers(std::string key, codec::GgufValueType type, ByteView bytes, size_t count) {
  const Bytes& kept = numbers_.emplace_back(bytes.begin(), bytes.end());
  entries_.push_back({std::move(key), codec::GgufArray{type, count, kept, {}}});
}

Status GgufVocabulary::add_tokens(const json::object& document, bool pieces, size_t count) {
  TRY(const json::object* model, codec::json_object(document, "model"));
  TRY(const json::object* vocabulary, codec::json_object(*model, "vocab"));
  tokens_.resize(count);
  std::vector<int32_t> types(count, unused);
  const auto put = [&](int64_t id, std::string_view text, TokenType type) -> Status {
    if (id < 0 || static_cast<uint64_t>(id) >= count)
      return fail(Reason::bad_request, fmt::format("token id {} is outside the table of words", id));
    tokens_[static_cast<size_t>(id)] = text;
    types[static_cast<size_t>(id)] = type;
    return Done{};
  };
  const std::string_view unknown_token = text_at(*model, "unk_token");
  for (const auto& [token, id] : *vocabulary) {
    if (!id.is_int64()) return fail(Reason::bad_request, "tokenizer.json: a token's id is no number");
    const TokenType type = !pieces ? normal : is_byte_piece(token) ? byte : normal;
    TRY_DONE(put(id.get_int64(), token, type));
  }
  if (const json::array* added = array_at(document, "added_tokens"))
    for (const json::value& value : *added) {
      if (!value.is_object()) continue;
      const json::object& one = value.get_object();
      TRY(const int64_t id, codec::json_integer(one, "id"));
      TRY_DONE(put(id, text_at(one, "content"), flag_at(one, "special", false) ? control : user_defined));
    }
  for (size_t id = 0; id < count; ++id) {
    if (pieces && !unknown_token.empty() && tokens_[id] == unknown_token) types[id] = unknown;
    if (types[id] == unused) tokens_[id] = fmt::format("[PAD{}]", id);
  }
  codec::GgufArray texts{codec::GgufValueType::text, count, {}, {}};
  for (const std::string& token : tokens_) texts.texts.push_back(keep(token));
  entries_.push_back({"tokenizer.ggml.tokens", std::move(texts)});
  add_numbers("tokenizer.ggml.token_type", codec::GgufValueType::i32, std::as_bytes(std::span(types)), count);
  return Done{};
}

// Merges as pairs, however the file spells them.
Status GgufVocabulary::add_merges(const json::object& model) {
  const json::array* merges = array_at(model, "merges");
  if (merges == nullptr) return no_name("a vocabulary without merges");
  for (const json::value& merge : *merges) {
    if (merge.is_array() && merge.get_array().size() == 2 && merge.get_array()[0].is_string() &&
        merge.get_array()[1].is_string()) {
      merges_.emplace_back(merge.get_array()[0].get_string(), merge.get_array()[1].get_string());
      continue;
    }
    const std::string_view text = merge.is_string() ? std::string_view(merge.get_string()) : "";
    const size_t space = text.find(' ', 1);
    if (space == std::string_view::npos) return fail(Reason::bad_request, "tokenizer.json: a merge is none");
    merges_.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return Done{};
}

// SentencePiece merges what has the best score: the earlier a merge, the better.
void GgufVocabulary::add_scores() {
  std::unordered_map<std::string, float> ranks;
  for (size_t i = 0; i < merges_.size(); ++i)
    ranks.emplace(merges_[i].first + merges_[i].second, -static_cast<float>(i));
  std::vector<float> scores;
  const float last = -static_cast<float>(merges_.size()) - 1;
  for (const std::string& token : tokens_) {
    const auto found = ranks.find(token);
    scores.push_back(found != ranks.end() ? found->second : last);
  }
  add_numbers("tokenizer.ggml.scores", codec::GgufValueType::f32, std::as_bytes(std::span(scores)),
              scores.size());
}

Status GgufVocabulary::add_specials(const token::FolderDocument& tokenizer) {
  // llama.cpp's spelling of "separator" is part of the format.
  constexpr std::pair<std::string_view, std::string_view> roles[] = {{"bos_token", "bos_token_id"},
                                                                     {"eos_token", "eos_token_id"},
                                                                     {"unk_token", "unknown_token_id"},
                                                                     {"sep_token", "seperator_token_id"},
                                                                     {"pad_token", "padding_token_id"}};
  TRY(const token::Tokenizer whole, token::Tokenizer::from_document(tokenizer.document));
  TRY(const token::Encoding sample, whole.encode({.text = "a", .words = {}, .pair = {}}, {}));
  for (const auto& [role, key] : roles) {
    const token::AddedToken* token = tokenizer.config.special(role);
    const auto found =
        token == nullptr ? tokens_.end() : std::find(tokens_.begin(), tokens_.end(), token->content);
    if (found == tokens_.end()) continue;
    const auto id = static_cast<uint64_t>(found - tokens_.begin());
    entries_.push_back({fmt::format("tokenizer.ggml.{}", key), id});
    if (role == "bos_token")
      entries_.push_back({"tokenizer.ggml.add_bos_token", !sample.ids.empty() && sample.ids.front() == id});
    if (role == "eos_token")
      entries_.push_back({"tokenizer.ggml.add_eos_token", !sample.ids.empty() && sample.ids.back() == id});
  }
  if (const std::string* chat = tokenizer.config.chat_template())
    entries_.push_back({"tokenizer.chat_template", keep(*chat)});
  return Done{};
}

Result<GgufVocabulary> GgufVocabulary::make(const token::FolderDocument& tokenizer, size_t count) {
  const json::object& document = tokenizer.document;
  TRY(const json::object* model, codec::json_object(document, "model"));
  const std::string_view type = text_at(*model, "type");
  if (!type.empty() && type != "BPE") return no_name(fmt::format("a {} vocabulary", type.substr(0, 40)));
  bool byte_level = false;
  for (const json::object* step : steps_of(document, "pre_tokenizer", "pretokenizers"))
    byte_level = byte_level || text_at(*step, "type") == "ByteLevel";
  if (!byte_level && !flag_at(*model, "byte_fallback", false))
    return no_name("a vocabulary that is neither of bytes nor of SentencePiece");
  GgufVocabulary out;
  out.entries_.push_back({"tokenizer.ggml.model", std::string_view(byte_level ? "gpt2" : "llama")});
  if (byte_level) {
    TRY(const std::string_view cuts, name_of_cuts(document, flag_at(*model, "ignore_merges", false)));
    out.entries_.push_back({"tokenizer.ggml.pre", cuts});
  } else {
    out.entries_.push_back({"tokenizer.ggml.pre", std::string_view("default")});
    out.entries_.push_back({"tokenizer.ggml.add_space_prefix", puts_space_first(document)});
  }
  TRY_DONE(out.add_tokens(document, !byte_level, count));
  TRY_DONE(out.add_merges(*model));
  if (byte_level) {
    codec::GgufArray merges{codec::GgufValueType::text, out.merges_.size(), {}, {}};
    for (const auto& [first, second] : out.merges_)
      merges.texts.push_back(out.keep(fmt::format("{} {}", first, second)));
    out.entries_.push_back({"tokenizer.ggml.merges", std::move(merges)});
  } else {
    out.add_scores();
  }
  TRY_DONE(out.add_specials(tokenizer));
  return out;
}

}  // namespace holdfast::model
