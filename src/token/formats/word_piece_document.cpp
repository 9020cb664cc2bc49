#include "token/formats/word_piece_document.h"

#include <algorithm>
#include <boost/json/object.hpp>

#include "base/utf8.h"
#include "token/formats/document_builder.h"

namespace holdfast::token {
namespace {

using boost::json::object;

struct Row {
  std::string_view name, specials, single, pair;
};

constexpr std::string_view bert_specials = "unk:[UNK] sep:[SEP] pad:[PAD] cls:[CLS] mask:[MASK]";
constexpr std::string_view bert_single = "{cls}:0 $A:0 {sep}:0";
constexpr std::string_view bert_pair = "{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1";

// What differs from BERT; the converters of transformers' convert_slow_tokenizer.py.
constexpr Row rows[] = {
    {"FunnelTokenizer", "bos:<s> eos:</s> unk:<unk> sep:<sep> pad:<pad> cls:<cls> mask:<mask>",
     "{cls}:2 $A:0 {sep}:0", "{cls}:2 $A:0 {sep}:0 $B:1 {sep}:1"},
    {"MPNetTokenizer", "bos:<s> eos:</s> unk:[UNK] sep:</s> pad:<pad> cls:<s> <mask:<mask>", bert_single,
     "{cls}:0 $A:0 {sep}:0 {sep}:0 $B:1 {sep}:1"},
    {"SplinterTokenizer", "unk:[UNK] sep:[SEP] pad:[PAD] cls:[CLS] mask:[MASK]", bert_single,
     "{cls}:0 $A:0 [QUESTION] . {sep}:0 $B:1 {sep}:1"},
};

bool is_kind(const TokenizerConfig& config, const Row& row) {
  if (!config.tokenizer_class.empty()) return config.tokenizer_class == row.name;
  std::string type = config.model_type + "tokenizer", name(row.name);
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return type == name;
}

constexpr Row letters{"EsmTokenizer", "unk:<unk> eos:<eos> pad:<pad> cls:<cls> mask:<mask>",
                      "{cls}:0 $A:0 {eos}:0", "{cls}:0 $A:0 {eos}:0 $B:1 {eos}:1"};

// ESM's: every token is cut out wherever it stands, as letters of proteins do; what is left between white
// space is unknown.
Result<object> document_of_letters(object vocabulary, const TokenizerConfig& config) {
  const AddedToken* unknown = config.special("unk_token");
  std::vector<std::string> tokens;
  for (const auto& [token, id] : vocabulary)
    if (!token.empty()) tokens.emplace_back(token);
  DocumentBuilder out(part("WordLevel", object{{"vocab", std::move(vocabulary)},
                                               {"unk_token", unknown ? unknown->content : "<unk>"}}));
  out.pre_tokenizer = part("WhitespaceSplit");
  out.add_configured(config, letters.specials);
  for (const std::string& token : tokens)
    if (!out.has_added(token)) out.add({.content = token, .normalized = false});
  TRY_DONE(out.set_template(letters.single, letters.pair));
  return std::move(out).build();
}

std::string_view stripped(std::string_view token) {
  const size_t first = token.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? ""
                                         : token.substr(first, token.find_last_not_of(" \t\r") + 1 - first);
}

}  // namespace

Result<object> document_of_vocab_txt(std::string_view text, const TokenizerConfig& config) {
  if (!is_utf8(text)) return fail(Reason::bad_request, "vocab.txt is not UTF-8");
  const bool of_letters = is_kind(config, letters);
  object vocabulary;
  int64_t id = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view token = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (token.ends_with('\r')) token.remove_suffix(1);
    if (of_letters) token = stripped(token);
    vocabulary[token] = id++;
  }
  if (vocabulary.empty()) return fail(Reason::bad_request, "vocab.txt holds no token");
  if (of_letters) return document_of_letters(std::move(vocabulary), config);

  Row row{"BertTokenizer", bert_specials, bert_single, bert_pair};
  for (const Row& other : rows)
    if (is_kind(config, other)) row = other;

  const AddedToken* unknown = config.special("unk_token");
  const size_t unk_at = row.specials.find("unk:") + 4;
  const std::string unk =
      unknown != nullptr ? unknown->content
                         : std::string(row.specials.substr(unk_at, row.specials.find(' ', unk_at) - unk_at));
  DocumentBuilder out(part("WordPiece", object{{"unk_token", unk},
                                               {"continuing_subword_prefix", "##"},
                                               {"max_input_chars_per_word", 100},
                                               {"vocab", std::move(vocabulary)}}));
  out.normalizer =
      part("BertNormalizer",
           object{{"clean_text", true},
                  {"handle_chinese_chars", config.tokenize_chinese_chars.value_or(true)},
                  {"strip_accents", config.strip_accents ? boost::json::value(*config.strip_accents)
                                                         : boost::json::value(nullptr)},
                  {"lowercase", config.do_lower_case.value_or(true)}});
  out.pre_tokenizer = part("BertPreTokenizer");
  out.decoder = part("WordPiece", object{{"prefix", "##"}, {"cleanup", true}});
  out.add_configured(config, row.specials);
  TRY_DONE(out.set_template(row.single, row.pair));
  return std::move(out).build();
}

}  // namespace holdfast::token
