#include "token/formats/gguf_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "codec/base64.h"
#include "token/formats/byte_level_document.h"
#include "token/formats/document_builder.h"
#include "token/formats/gguf_pre_tokenizers.h"
#include "token/formats/sentencepiece_document.h"
#include "token/formats/split_patterns.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::string_view mark = "\u2581";
constexpr int64_t token_control = 3, token_user_defined = 4;  // llama.cpp's token types.

// The vocabulary as the file has it, checked.
struct FileVocabulary {
  std::vector<std::string> tokens;
  std::vector<double> scores;  // As many as tokens, or none.
  std::vector<int64_t> types;  // The same.

  bool is(size_t id, int64_t type) const { return id < types.size() && types[id] == type; }
};

Result<FileVocabulary> vocabulary_of(const codec::GgufFile& file) {
  FileVocabulary out;
  TRY(const auto tokens, file.texts_if("tokenizer.ggml.tokens"));
  if (!tokens || tokens->empty())
    return fail(Reason::bad_request, "GGUF: the file holds no vocabulary (tokenizer.ggml.tokens)");
  for (const std::string_view token : *tokens) {
    if (!is_utf8(token)) return fail(Reason::bad_request, "GGUF: a token is not UTF-8");
    out.tokens.emplace_back(token);
  }
  TRY(const auto scores, file.numbers_if("tokenizer.ggml.scores"));
  if (scores) out.scores = *scores;
  TRY(const auto types, file.integers_if("tokenizer.ggml.token_type"));
  if (types) out.types = *types;
  if ((!out.scores.empty() && out.scores.size() != out.tokens.size()) ||
      (!out.types.empty() && out.types.size() != out.tokens.size()))
    return fail(Reason::bad_request, "GGUF: as many scores and types as tokens are needed");
  return out;
}

using Merges = std::vector<ModelTables::MergePair>;

// "a b"; a space within a token can only be the first byte of it.
Result<std::optional<Merges>> merges_of(const codec::GgufFile& file) {
  TRY(const auto merges, file.texts_if("tokenizer.ggml.merges"));
  if (!merges) return std::optional<Merges>();
  Merges out;
  out.reserve(merges->size());
  for (const std::string_view merge : *merges) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || !is_utf8(merge))
      return fail(Reason::bad_request, "GGUF: a merge is not two tokens and a space");
    out.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  return std::optional(std::move(out));
}

array to_json(const Merges& merges) {
  array out;
  out.reserve(merges.size());
  for (const auto& [left, right] : merges) out.push_back(array{left, right});
  return out;
}

std::vector<ScoredPiece> scored(const FileVocabulary& vocabulary) {
  std::vector<ScoredPiece> out;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    out.push_back({vocabulary.tokens[id], vocabulary.scores.empty() ? 0 : vocabulary.scores[id]});
  return out;
}

void add_file_specials(const FileVocabulary& vocabulary, DocumentBuilder& out) {
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (!vocabulary.is(id, token_control) && !vocabulary.is(id, token_user_defined)) continue;
    AddedToken token;
    token.content = vocabulary.tokens[id];
    token.normalized = false;
    token.special = vocabulary.is(id, token_control);
    out.add(std::move(token));
  }
}

std::string unknown_of(const TokenizerConfig& config) {
  const AddedToken* token = config.special("unk_token");
  return token != nullptr ? token->content : "<unk>";
}

struct Source {
  const codec::GgufFile& file;
  FileVocabulary vocabulary;
  TokenizerConfig config;
  std::string_view architecture;
};

Result<object> finish(DocumentBuilder out, const Source& source, bool bos_by_default) {
  add_file_specials(source.vocabulary, out);
  out.add_configured(source.config, "");
  const bool bos = source.config.add_bos_token.value_or(bos_by_default);
  const bool eos = source.config.add_eos_token.value_or(false);
  if (bos || eos) TRY_DONE(out.set_bos_eos(bos, eos));
  return std::move(out).build();
}

Result<object> sentencepiece_document(Source source, bool is_gemma) {
  std::vector<ScoredPiece> pieces = scored(source.vocabulary);
  if (is_gemma) {
    // Runs of spaces are spelt with spaces; the order of the file is the order of merging, not the scores.
    for (size_t id = 0; id < pieces.size(); ++id) {
      std::string& text = pieces[id].text;
      if (text.find_first_not_of(' ') == std::string::npos && !text.empty()) {
        std::string marks;
        for (size_t i = 0; i < text.size(); ++i) marks += mark;
        text = marks;
        source.vocabulary.tokens[id] = std::move(marks);
      }
      pieces[id].score = -static_cast<double>(id);
    }
  }
  object model = scored_bpe_model(pieces, unknown_of(source.config), true);
  TRY(auto merges, merges_of(source.file));
  if (merges) model["merges"] = to_json(*merges);
  DocumentBuilder out(std::move(model));
  const auto to_mark = part("Replace", object{{"pattern", object{{"String", " "}}}, {"content", mark}});
  const bool prefix = source.config.add_prefix_space.value_or(true);
  if (is_gemma) {
    out.normalizer = to_mark;
    out.pre_tokenizer = part(
        "Split",
        object{{"pattern", object{{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}});
    out.decoder = llama_decoder(FirstSpace::keep);
  } else {
    if (source.architecture == "phi3") {
      array steps;
      if (prefix) steps.push_back(part("Prepend", object{{"prepend", mark}}));
      steps.push_back(to_mark);
      out.normalizer = sequence("normalizers", std::move(steps));
    } else {
      out.pre_tokenizer = part(
          "Metaspace",
          object{{"replacement", mark}, {"prepend_scheme", prefix ? "first" : "never"}, {"split", false}});
    }
    out.decoder = llama_decoder(prefix ? FirstSpace::strip : FirstSpace::keep);
  }
  return finish(std::move(out), source, true);
}

// The ids of tokens in `apart`, unless one is there twice: of those the last counts.
bool put_apart(const std::vector<std::string>& tokens, ModelTables& apart) {
  std::vector<Vocabulary::Entry> entries;
  entries.reserve(tokens.size());
  for (const std::string& token : tokens) entries.emplace_back(token, static_cast<uint32_t>(entries.size()));
  apart.vocabulary = Vocabulary::of(entries);
  return apart.vocabulary.has_value();
}

Result<object> byte_level_document(Source source, ModelTables* apart) {
  std::vector<std::string>& tokens = source.vocabulary.tokens;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (!source.vocabulary.is(id, token_control) && !source.vocabulary.is(id, token_user_defined) &&
        !is_byte_level_text(tokens[id]))
      tokens[id] = byte_level_text(tokens[id]);
  TRY(auto merges, merges_of(source.file));
  if (!merges)
    return fail(Reason::bad_request, "GGUF: a byte-level vocabulary without tokenizer.ggml.merges");
  object ids;
  array pairs;
  if (apart != nullptr && put_apart(tokens, *apart)) {
    apart->merges = std::move(*merges);
  } else {
    apart = nullptr;
    ids.reserve(tokens.size());
    for (size_t id = 0; id < tokens.size(); ++id) ids[tokens[id]] = static_cast<int64_t>(id);
    pairs = to_json(*merges);
  }
  TRY(const auto pre, source.file.text_if("tokenizer.ggml.pre"));
  const GgufPreTokenizer pre_tokenizer = gguf_pre_tokenizer(pre.value_or("default"));
  DocumentBuilder out(part("BPE", object{{"dropout", nullptr},
                                         {"unk_token", nullptr},
                                         {"continuing_subword_prefix", ""},
                                         {"end_of_word_suffix", ""},
                                         {"fuse_unk", false},
                                         {"byte_fallback", false},
                                         {"ignore_merges", pre_tokenizer.ignore_merges},
                                         {"vocab", std::move(ids)},
                                         {"merges", std::move(pairs)}}),
                      apart);
  const auto byte_level = [](bool prefix_space, bool trim, bool regex) {
    return part("ByteLevel",
                object{{"add_prefix_space", prefix_space}, {"trim_offsets", trim}, {"use_regex", regex}});
  };
  const std::vector<std::string_view>& patterns = pre_tokenizer.patterns;
  if (patterns.empty()) {
    out.pre_tokenizer = byte_level(false, true, true);
  } else if (patterns == std::vector{digit_pattern, gpt2_pattern}) {
    // As the tokenizer.json of these models has it: steps of its own, which need no regular expression.
    out.pre_tokenizer = sequence("pretokenizers", array{part("Digits", object{{"individual_digits", true}}),
                                                        byte_level(false, true, true)});
  } else {
    array steps;
    for (const std::string_view pattern : patterns)
      steps.push_back(
          part("Split",
               object{{"pattern", object{{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}}));
    steps.push_back(byte_level(false, true, false));
    out.pre_tokenizer = sequence("pretokenizers", std::move(steps));
  }
  out.post_processor = byte_level(true, false, true);
  out.decoder = byte_level(true, true, true);
  return finish(std::move(out), source, false);
}

// "[PAD32000]": what converters call T5's blanks.
bool is_unnamed_blank(std::string_view token) {
  return token.starts_with("[PAD") && token.ends_with("]") && token.size() > 5 &&
         std::ranges::all_of(token.substr(4, token.size() - 5), [](char c) { return c >= '0' && c <= '9'; });
}

Result<object> unigram_document(Source source) {
  int blank = 99;
  for (std::string& token : source.vocabulary.tokens)
    if (blank >= 0 && is_unnamed_blank(token)) token = fmt::format("<extra_id_{}>", blank--);
  TRY(const auto unknown, source.file.integer_if("tokenizer.ggml.unknown_token_id"));
  const int64_t unknown_id = unknown.value_or(2);
  if (unknown_id < 0 || unknown_id >= static_cast<int64_t>(source.vocabulary.tokens.size()))
    return fail(Reason::bad_request, "GGUF: the unknown token is not in the vocabulary");
  DocumentBuilder out(unigram_model(scored(source.vocabulary), unknown_id, false));
  if (const codec::GgufValue* charsmap = source.file.find("tokenizer.ggml.precompiled_charsmap"))
    if (const auto* bytes = std::get_if<codec::GgufArray>(charsmap);
        bytes != nullptr && !bytes->numbers.empty())
      out.normalizer =
          part("Precompiled", object{{"precompiled_charsmap", codec::base64_encode(bytes->numbers)}});
  const auto metaspace =
      part("Metaspace", object{{"replacement", mark}, {"prepend_scheme", "always"}, {"split", true}});
  out.pre_tokenizer = sequence("pretokenizers", {part("WhitespaceSplit"), metaspace});
  out.decoder = metaspace;
  add_file_specials(source.vocabulary, out);
  out.add_configured(source.config, "eos:</s> unk:<unk> pad:<pad>");
  TRY_DONE(out.set_template("$A {eos}", "$A {eos} $B {eos}"));
  return std::move(out).build();
}

// llama.cpp marks the beginnings of words with "▁" instead of the continuations with "##".
Result<object> word_piece_document(Source source) {
  object ids;
  for (size_t id = 0; id < source.vocabulary.tokens.size(); ++id) {
    std::string& token = source.vocabulary.tokens[id];
    if (token.starts_with(mark))
      token = token.substr(mark.size());
    else if (!source.vocabulary.types.empty() && source.vocabulary.types[id] == 1)
      token = "##" + token;
    ids[token] = static_cast<int64_t>(id);
  }
  DocumentBuilder out(part("WordPiece", object{{"unk_token", unknown_of(source.config)},
                                               {"continuing_subword_prefix", "##"},
                                               {"max_input_chars_per_word", 100},
                                               {"vocab", std::move(ids)}}));
  out.normalizer = part("BertNormalizer", object{{"clean_text", true},
                                                 {"handle_chinese_chars", true},
                                                 {"strip_accents", nullptr},
                                                 {"lowercase", true}});
  out.pre_tokenizer = part("BertPreTokenizer");
  out.decoder = part("WordPiece", object{{"prefix", "##"}, {"cleanup", true}});
  add_file_specials(source.vocabulary, out);
  out.add_configured(source.config, "unk:[UNK] sep:[SEP] pad:[PAD] cls:[CLS] mask:[MASK]");
  TRY_DONE(out.set_template("{cls}:0 $A:0 {sep}:0", "{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1"));
  return std::move(out).build();
}

}  // namespace

Result<TokenizerConfig> config_of_gguf(const codec::GgufFile& file) {
  TokenizerConfig out;
  TRY(const auto tokens, file.texts_if("tokenizer.ggml.tokens"));
  // llama.cpp's spelling of "separator" is part of the format.
  const std::pair<std::string_view, std::string_view> roles[] = {
      {"bos_token", "bos_token_id"},     {"eos_token", "eos_token_id"},
      {"unk_token", "unknown_token_id"}, {"sep_token", "seperator_token_id"},
      {"pad_token", "padding_token_id"}, {"cls_token", "cls_token_id"},
      {"mask_token", "mask_token_id"}};
  for (const auto& [role, key] : roles) {
    TRY(const auto id, file.integer_if("tokenizer.ggml." + std::string(key)));
    if (!id || !tokens || *id < 0 || *id >= static_cast<int64_t>(tokens->size())) continue;
    AddedToken token;
    token.content = (*tokens)[static_cast<size_t>(*id)];
    token.normalized = false;
    token.special = true;
    out.specials.emplace_back(role, std::move(token));
  }
  TRY(out.add_bos_token, file.flag_if("tokenizer.ggml.add_bos_token"));
  TRY(out.add_eos_token, file.flag_if("tokenizer.ggml.add_eos_token"));
  TRY(out.add_prefix_space, file.flag_if("tokenizer.ggml.add_space_prefix"));
  constexpr std::string_view templates = "tokenizer.chat_template";
  for (const std::string_view key : file.keys()) {
    if (key != templates && !key.starts_with(std::string(templates) + ".")) continue;
    TRY(const auto text, file.text_if(key));
    const std::string_view name = key == templates ? "default" : key.substr(templates.size() + 1);
    if (text) out.chat_templates.push_back({std::string(name), std::string(*text)});
  }
  TRY(const auto architecture, file.text_if("general.architecture"));
  if (architecture) {
    TRY(const auto length, file.integer_if(fmt::format("{}.context_length", *architecture)));
    if (length && *length > 0) out.model_max_length = static_cast<uint64_t>(*length);
  }
  return out;
}

Result<object> document_of_gguf(const codec::GgufFile& file, ModelTables* apart) {
  TRY(const auto model, file.text_if("tokenizer.ggml.model"));
  if (!model)
    return fail(Reason::bad_request, "GGUF: the file says nothing of a tokenizer (tokenizer.ggml.model)");
  TRY(FileVocabulary vocabulary, vocabulary_of(file));
  TRY(TokenizerConfig config, config_of_gguf(file));
  TRY(const auto architecture, file.text_if("general.architecture"));
  Source source{file, std::move(vocabulary), std::move(config), architecture.value_or("")};
  if (*model == "gpt2") return byte_level_document(std::move(source), apart);
  if (*model == "t5") return unigram_document(std::move(source));
  if (*model == "bert") return word_piece_document(std::move(source));
  if (*model == "gemma4") {
    // The chat template writes the token itself.
    source.config.add_bos_token = false;
    return sentencepiece_document(std::move(source), true);
  }
  if (*model == "llama") {
    const bool is_gemma =
        source.architecture == "gemma" || source.architecture == "gemma2" || source.architecture == "gemma3";
    return sentencepiece_document(std::move(source), is_gemma);
  }
  return fail(Reason::model_unsupported,
              fmt::format("GGUF: tokenizers of the kind '{}' are not supported", model->substr(0, 40)));
}

}  // namespace holdfast::token
