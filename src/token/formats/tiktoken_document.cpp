#include "token/formats/tiktoken_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <string>
#include <unordered_set>
#include <vector>

#include "codec/base64.h"
#include "codec/json.h"
#include "token/formats/byte_level_document.h"
#include "token/formats/document_builder.h"
#include "token/formats/merges_of_vocabulary.h"
#include "token/formats/split_patterns.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;

constexpr size_t json_bytes_max = 256 << 20;
constexpr size_t ranks_max = 4 << 20;
constexpr uint32_t added_id_max = 16 << 20;

using Ranks = std::vector<std::pair<std::string, uint32_t>>;

struct Special {
  std::string_view token;
  uint32_t id;
};

// OpenAI's encodings (tiktoken_ext/openai_public.py).
struct Encoding {
  std::string_view name;
  size_t ranks;
  std::string_view pattern;
  std::vector<Special> specials;
};

const std::vector<Encoding>& encodings() {
  static const std::vector<Encoding> all = {
      {"r50k_base", 50256, gpt2_pattern, {{"<|endoftext|>", 50256}}},
      {"p50k_base", 50280, gpt2_pattern, {{"<|endoftext|>", 50256}}},
      {"cl100k_base",
       100256,
       llama3_pattern,
       {{"<|endoftext|>", 100257},
        {"<|fim_prefix|>", 100258},
        {"<|fim_middle|>", 100259},
        {"<|fim_suffix|>", 100260},
        {"<|endofprompt|>", 100276}}},
      {"o200k_base", 199998, o200k_pattern, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
  };
  return all;
}

const Encoding* encoding_of(std::string_view file_name, size_t ranks) {
  for (const Encoding& one : encodings())
    if (file_name.starts_with(one.name) || one.ranks == ranks) return &one;
  return nullptr;
}

Result<std::pair<std::string, uint32_t>> parse_line(std::string_view line, size_t number) {
  const auto refuse = [&] {
    return fail(Reason::bad_request,
                fmt::format("tiktoken ranks, line {}: not base64, a space and a rank", number));
  };
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return refuse();
  const auto bytes = codec::base64_decode(line.substr(0, space));
  if (!bytes.ok() || bytes.value().empty()) return refuse();
  uint32_t rank = 0;
  const char* end = line.data() + line.size();
  const auto [at, code] = std::from_chars(line.data() + space + 1, end, rank);
  if (code != std::errc() || at != end || rank > added_id_max) return refuse();
  return std::pair(std::string(as_text(bytes.value())), rank);
}

Result<Ranks> parse_ranks(std::string_view text) {
  Ranks out;
  std::unordered_set<std::string> seen;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    TRY(auto row, parse_line(line, number));
    if (out.size() == ranks_max) return fail(Reason::bad_request, "too many tiktoken ranks");
    if (!seen.insert(row.first).second)
      return fail(Reason::bad_request,
                  fmt::format("tiktoken ranks, line {}: these bytes have a rank", number));
    out.push_back(std::move(row));
  }
  if (out.empty()) return fail(Reason::bad_request, "there are no tiktoken ranks");
  return out;
}

// `shift` is added to ranks to give ids; specials have ids of their own beside them.
object model_of(const Ranks& ranks, uint32_t shift,
                const std::vector<std::pair<std::string, uint32_t>>& specials) {
  object vocabulary;
  vocabulary.reserve(ranks.size() + specials.size());
  for (const auto& [bytes, rank] : ranks) vocabulary[byte_level_text(bytes)] = int64_t{rank} + shift;
  for (const auto& [token, id] : specials)
    if (!vocabulary.contains(token)) vocabulary[token] = int64_t{id};
  array merges;
  for (const auto& [left, right] : merges_of_ranks(ranks))
    merges.push_back(array{byte_level_text(left), byte_level_text(right)});
  return part("BPE", object{{"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", true},
                            {"vocab", std::move(vocabulary)},
                            {"merges", std::move(merges)}});
}

void set_parts(DocumentBuilder& out, std::string_view pattern) {
  const auto byte_level = [](bool prefix_space, bool trim, bool regex) {
    return part("ByteLevel",
                object{{"add_prefix_space", prefix_space}, {"trim_offsets", trim}, {"use_regex", regex}});
  };
  out.pre_tokenizer = sequence(
      "pretokenizers",
      {part("Split",
            object{{"pattern", object{{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}}),
       byte_level(false, true, false)});
  out.decoder = byte_level(true, true, true);
  out.post_processor = byte_level(true, false, true);
}

AddedToken special_token(std::string_view text) {
  AddedToken token;
  token.content = text;
  token.normalized = false;
  token.special = true;
  return token;
}

}  // namespace

bool looks_like_tiktoken(std::string_view text) {
  std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line.size() <= 4096 && parse_line(line, 1).ok();
}

Result<object> document_of_tiktoken(std::string_view text, std::string_view file_name,
                                    const TokenizerConfig& config) {
  TRY(const Ranks ranks, parse_ranks(text));
  const Encoding* encoding = encoding_of(file_name, ranks.size());
  const bool is_qwen = file_name.starts_with("qwen") || config.tokenizer_class.starts_with("QWen");
  std::string_view pattern = encoding != nullptr ? encoding->pattern : llama3_pattern;
  if (is_qwen) pattern = qwen2_pattern;

  // Ids of special tokens are fixed by the vocabulary, because the next free id may be another.
  std::vector<std::pair<std::string, uint32_t>> specials;
  if (encoding != nullptr && config.added.empty())
    for (const Special& special : encoding->specials) specials.emplace_back(special.token, special.id);
  for (const AddedToken& token : config.added) {
    if (token.id > added_id_max)
      return fail(Reason::bad_request, "'added_tokens_decoder' holds an id that is too large");
    specials.emplace_back(token.content, token.id);
  }
  DocumentBuilder out(model_of(ranks, 0, specials));
  set_parts(out, pattern);
  if (config.added.empty())
    for (const auto& [token, id] : specials) out.add(special_token(token));
  out.add_configured(config, "");
  if (config.add_bos_token.value_or(false) || config.add_eos_token.value_or(false))
    TRY_DONE(out.set_bos_eos(config.add_bos_token.value_or(false), config.add_eos_token.value_or(false)));
  return std::move(out).build();
}

Result<object> document_of_tekken(std::string_view text, const TokenizerConfig& config) {
  TRY(const object json, codec::parse_json_object(text, {.depth_max = 16, .bytes_max = json_bytes_max}));
  TRY(const object* settings, codec::json_object(json, "config"));
  TRY(const std::string_view pattern, codec::json_text(*settings, "pattern"));
  TRY(const int64_t size, codec::json_integer(*settings, "default_vocab_size"));
  TRY(const int64_t special_count, codec::json_integer(*settings, "default_num_special_tokens"));
  if (special_count < 0 || special_count > size || size > added_id_max)
    return fail(Reason::bad_request, "tekken.json counts more special tokens than tokens");
  TRY(const array* rows, codec::json_array(json, "vocab"));
  Ranks ranks;
  for (const boost::json::value& row : *rows) {
    if (static_cast<int64_t>(ranks.size()) == size - special_count) break;
    if (!row.is_object())
      return fail(Reason::bad_request, "tekken.json's 'vocab' holds something that is no object");
    TRY(const std::string_view encoded, codec::json_text(row.get_object(), "token_bytes"));
    TRY(const Bytes bytes, codec::base64_decode(encoded));
    ranks.emplace_back(as_text(bytes), static_cast<uint32_t>(ranks.size()));
  }
  std::vector<std::pair<std::string, uint32_t>> specials;
  TRY(const array* named, codec::json_array_if(json, "special_tokens"));
  if (named != nullptr) {
    for (const boost::json::value& row : *named) {
      if (!row.is_object())
        return fail(Reason::bad_request, "tekken.json's 'special_tokens' holds no objects");
      TRY(const std::string_view token, codec::json_text(row.get_object(), "token_str"));
      specials.emplace_back(token, static_cast<uint32_t>(specials.size()));
    }
  } else {
    for (const char* token : {"<unk>",
                              "<s>",
                              "</s>",
                              "[INST]",
                              "[/INST]",
                              "[AVAILABLE_TOOLS]",
                              "[/AVAILABLE_TOOLS]",
                              "[TOOL_RESULTS]",
                              "[/TOOL_RESULTS]",
                              "[TOOL_CALLS]",
                              "[IMG]",
                              "<pad>",
                              "[IMG_BREAK]",
                              "[IMG_END]",
                              "[PREFIX]",
                              "[MIDDLE]",
                              "[SUFFIX]",
                              "[SYSTEM_PROMPT]",
                              "[/SYSTEM_PROMPT]",
                              "[TOOL_CONTENT]"})
      specials.emplace_back(token, static_cast<uint32_t>(specials.size()));
  }
  while (static_cast<int64_t>(specials.size()) < special_count)
    specials.emplace_back(fmt::format("<SPECIAL_{}>", specials.size()),
                          static_cast<uint32_t>(specials.size()));
  if (static_cast<int64_t>(specials.size()) > special_count)
    specials.resize(static_cast<size_t>(special_count));

  DocumentBuilder out(model_of(ranks, static_cast<uint32_t>(special_count), specials));
  set_parts(out, pattern);
  for (const auto& [token, id] : specials) out.add(special_token(token));
  out.add_configured(config, "bos:<s> eos:</s> unk:<unk> pad:<pad>");
  TRY_DONE(out.set_bos_eos(config.add_bos_token.value_or(true), config.add_eos_token.value_or(false)));
  return std::move(out).build();
}

}  // namespace holdfast::token
