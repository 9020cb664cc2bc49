#include "token/part_kinds.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace holdfast::token {
namespace {

using enum PartField::Default;

const std::vector<PartKind>& kinds_of(Stage stage) {
  static const PartKind byte_level{"ByteLevel",
                                   {{"add_prefix_space", yes}, {"trim_offsets", yes}, {"use_regex", yes}}};
  static const PartKind metaspace{"Metaspace",
                                  {{"replacement"}, {"prepend_scheme", text, "always"}, {"split", yes}},
                                  {"add_prefix_space", "str_rep"}};
  static const std::vector<PartKind> normalizers = {
      {"BertNormalizer", {{"clean_text"}, {"handle_chinese_chars"}, {"strip_accents", null}, {"lowercase"}}},
      {"Strip", {{"strip_left"}, {"strip_right"}}},
      {"Sequence", {{"normalizers"}}},
      {"Replace", {{"pattern"}, {"content"}}},
      {"Prepend", {{"prepend"}}},
      {"Precompiled", {{"precompiled_charsmap"}}},
      {"StripAccents", {}},
      {"NFC", {}},
      {"NFD", {}},
      {"NFKC", {}},
      {"NFKD", {}},
      {"Lowercase", {}},
      {"Nmt", {}},
      {"ByteLevel", {}},
  };
  static const std::vector<PartKind> pre_tokenizers = {
      {"Sequence", {{"pretokenizers"}}},
      {"Split", {{"pattern"}, {"behavior"}, {"invert", no}}},
      metaspace,
      {"CharDelimiterSplit", {{"delimiter"}}},
      {"ByteLevel", {{"add_prefix_space"}, {"trim_offsets", yes}, {"use_regex", yes}}},
      {"Digits", {{"individual_digits"}}},
      {"Punctuation", {{"behavior", text, "Isolated"}}},
      {"FixedLength", {{"length", null}}},
      {"BertPreTokenizer", {}},
      {"Whitespace", {}},
      {"WhitespaceSplit", {}},
      {"UnicodeScripts", {}},
  };
  static const std::vector<PartKind> models = {
      {"BPE",
       {{"dropout", null},
        {"unk_token", null},
        {"continuing_subword_prefix", null},
        {"end_of_word_suffix", null},
        {"fuse_unk", no},
        {"byte_fallback", no},
        {"ignore_merges", no},
        {"vocab"},
        {"merges"}}},
      {"WordPiece", {{"unk_token"}, {"continuing_subword_prefix"}, {"max_input_chars_per_word"}, {"vocab"}}},
      {"Unigram", {{"unk_id", null}, {"vocab"}, {"byte_fallback", no}}},
      {"WordLevel", {{"vocab"}, {"unk_token"}}},
  };
  static const std::vector<PartKind> post_processors = {
      {"RobertaProcessing", {{"sep"}, {"cls"}, {"trim_offsets"}, {"add_prefix_space"}}},
      {"BertProcessing", {{"sep"}, {"cls"}}},
      {"TemplateProcessing", {{"single"}, {"pair"}, {"special_tokens"}}},
      {"Sequence", {{"processors"}}},
      byte_level,
  };
  static const std::vector<PartKind> decoders = {
      {"Sequence", {{"decoders"}}},
      {"WordPiece", {{"prefix"}, {"cleanup"}}},
      metaspace,
      {"BPEDecoder", {{"suffix"}}},
      {"CTC", {{"pad_token"}, {"word_delimiter_token"}, {"cleanup"}}},
      {"Strip", {{"content"}, {"start"}, {"stop"}}},
      {"Replace", {{"pattern"}, {"content"}}},
      {"ByteFallback", {}},
      {"Fuse", {}},
      byte_level,
  };
  switch (stage) {
    case Stage::normalizer:
      return normalizers;
    case Stage::pre_tokenizer:
      return pre_tokenizers;
    case Stage::model:
      return models;
    case Stage::post_processor:
      return post_processors;
    case Stage::decoder:
      break;
  }
  return decoders;
}

}  // namespace

boost::json::value PartField::default_value() const {
  switch (kind) {
    case required:
    case null:
      return nullptr;
    case no:
      return false;
    case yes:
      return true;
    case PartField::Default::text:
      break;
  }
  return boost::json::value(text);
}

bool PartKind::is_legacy(std::string_view field) const {
  return std::ranges::find(legacy, field) != legacy.end();
}

const PartKind* find_part_kind(Stage stage, const boost::json::object& part) {
  const std::vector<PartKind>& kinds = kinds_of(stage);
  const PartKind* told = nullptr;
  if (const boost::json::value* type = part.if_contains("type"); type != nullptr && type->is_string()) {
    const auto found = std::ranges::find(kinds, std::string_view(type->get_string()), &PartKind::type);
    if (found != kinds.end()) told = &*found;
    const bool type_decides = stage == Stage::pre_tokenizer || stage == Stage::model;
    if (type_decides || (told != nullptr && stage != Stage::post_processor)) return told;
  }
  for (const PartKind& kind : kinds) {
    const bool has_some = std::ranges::any_of(
        kind.fields, [](const PartField& field) { return field.kind == PartField::Default::required; });
    const bool has_all = std::ranges::all_of(kind.fields, [&](const PartField& field) {
      return field.kind != PartField::Default::required || part.contains(field.name);
    });
    if (has_some && has_all) return &kind;
  }
  return told;
}

const PartKind& added_token_kind() {
  static const PartKind kind{"",
                             {{"id"},
                              {"content"},
                              {"single_word", no},
                              {"lstrip", no},
                              {"rstrip", no},
                              {"normalized", null},
                              {"special", no}}};
  return kind;
}

}  // namespace holdfast::token
