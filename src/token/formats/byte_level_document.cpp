#include "token/formats/byte_level_document.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/utf8.h"
#include "codec/json.h"
#include "token/byte_level.h"
#include "token/formats/document_builder.h"
#include "token/formats/split_patterns.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;

constexpr size_t json_bytes_max = 256 << 20;

enum class Shape : uint8_t { gpt2, roberta, deberta, blenderbot, clip, qwen2, whisper, openai_gpt, herbert };

struct Row {
  std::string_view name;         // Of the class, without "Tokenizer".
  std::string_view model_types;  // Of config.json, each between spaces.
  Shape shape;
  std::string_view specials;
};

constexpr std::string_view roberta_specials =
    "bos:<s> eos:</s> unk:<unk> sep:</s> pad:<pad> cls:<s> <mask:<mask>";
constexpr std::string_view gpt2_specials = "bos:<|endoftext|> eos:<|endoftext|> unk:<|endoftext|>";

constexpr Row rows[] = {
    {"GPT2", " gpt2 gpt_neo gptj ", Shape::gpt2, gpt2_specials},
    {"CodeGen", " codegen ", Shape::gpt2, gpt2_specials},
    {"Roberta", " roberta ", Shape::roberta, roberta_specials},
    {"Bart", " bart ", Shape::roberta, roberta_specials},
    {"Longformer", " longformer ", Shape::roberta, roberta_specials},
    {"LED", " led ", Shape::roberta, roberta_specials},
    {"Mvp", " mvp ", Shape::roberta, roberta_specials},
    {"LayoutLMv3", " layoutlmv3 ", Shape::roberta, roberta_specials},
    {"Deberta", " deberta ", Shape::deberta,
     "bos:[CLS] eos:[SEP] unk:[UNK] sep:[SEP] pad:[PAD] cls:[CLS] <mask:[MASK]"},
    {"Blenderbot", " blenderbot ", Shape::blenderbot, roberta_specials},
    {"CLIP", " clip clip_text_model ", Shape::clip,
     "bos:<|startoftext|> eos:<|endoftext|> unk:<|endoftext|> pad:<|endoftext|>"},
    {"Qwen2", " qwen2 qwen2_moe qwen3 qwen3_moe ", Shape::qwen2,
     "eos:<|endoftext|> unk:<|endoftext|> pad:<|endoftext|>"},
    {"Whisper", " whisper ", Shape::whisper, gpt2_specials},
    {"OpenAIGPT", " openai-gpt ", Shape::openai_gpt, "unk:<unk>"},
    {"Herbert", " herbert ", Shape::herbert, "unk:<unk> sep:</s> pad:<pad> cls:<s> mask:<mask>"},
};

const Row& row_of(const TokenizerConfig& config) {
  for (const Row& row : rows)
    if (config.tokenizer_class == std::string(row.name) + "Tokenizer") return row;
  if (config.tokenizer_class.empty() && !config.model_type.empty())
    for (const Row& row : rows)
      if (row.model_types.find(" " + config.model_type + " ") != std::string_view::npos) return row;
  return rows[0];
}

// "a b" a line; a first line "#version…" and empty lines are no merges.
Result<array> merges_of(std::string_view text) {
  if (!is_utf8(text)) return fail(Reason::bad_request, "merges.txt is not UTF-8");
  array out;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view merge = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (merge.ends_with('\r')) merge.remove_suffix(1);
    if (merge.empty() || merge.starts_with("#version")) continue;
    const size_t space = merge.find(' ');
    if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos)
      return fail(Reason::bad_request,
                  "merges.txt line " + std::to_string(line) + " is not two tokens and a space");
    out.push_back(array{merge.substr(0, space), merge.substr(space + 1)});
  }
  return out;
}

object bpe(object vocabulary, array merges, boost::json::value unknown, std::string_view suffix) {
  return part("BPE", object{{"dropout", nullptr},
                            {"unk_token", std::move(unknown)},
                            {"continuing_subword_prefix", ""},
                            {"end_of_word_suffix", suffix},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", false},
                            {"vocab", std::move(vocabulary)},
                            {"merges", std::move(merges)}});
}

object byte_level(bool prefix_space, bool trim, bool regex) {
  return part("ByteLevel",
              object{{"add_prefix_space", prefix_space}, {"trim_offsets", trim}, {"use_regex", regex}});
}

object split(std::string_view pattern, std::string_view behavior, bool invert) {
  return part("Split",
              object{{"pattern", object{{"Regex", pattern}}}, {"behavior", behavior}, {"invert", invert}});
}

object pair_of(const DocumentBuilder& out, std::string_view kind, std::string_view last,
               std::string_view first) {
  const auto token = [&](std::string_view role) {
    const std::string text = out.special(role);
    return array{text, int64_t{out.id_of(text).value_or(0)}};
  };
  return part(kind, object{{"sep", token(last)}, {"cls", token(first)}});
}

Status finish(DocumentBuilder& out, const Row& row, const TokenizerConfig& config) {
  const bool prefix_space = config.add_prefix_space.value_or(false);
  out.pre_tokenizer = byte_level(prefix_space, true, true);
  out.decoder = byte_level(true, true, true);
  out.add_configured(config, row.specials);
  switch (row.shape) {
    case Shape::gpt2:
      out.post_processor = byte_level(true, false, true);
      if (config.add_bos_token.value_or(false) || config.add_eos_token.value_or(false))
        return out.set_bos_eos(config.add_bos_token.value_or(false), config.add_eos_token.value_or(false));
      return Done{};
    case Shape::roberta: {
      object post = pair_of(out, "RobertaProcessing", "sep", "cls");
      post["trim_offsets"] = true;
      post["add_prefix_space"] = prefix_space;
      out.post_processor = std::move(post);
      return Done{};
    }
    case Shape::deberta:
      return out.set_template("{cls}:0 $A:0 {sep}:0", "{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1");
    case Shape::blenderbot:
      return out.set_template("$A:0 {eos}:0", "$A:0 $B:1");
    case Shape::clip: {
      out.normalizer = sequence(
          "normalizers",
          {part("NFC"), part("Replace", object{{"pattern", object{{"Regex", "\\s+"}}}, {"content", " "}}),
           part("Lowercase")});
      out.pre_tokenizer =
          sequence("pretokenizers", {split(clip_pattern, "Removed", true), byte_level(false, true, true)});
      object post = pair_of(out, "RobertaProcessing", "eos", "bos");
      post["trim_offsets"] = false;
      post["add_prefix_space"] = false;
      out.post_processor = std::move(post);
      return Done{};
    }
    case Shape::qwen2:
      out.normalizer = part("NFC");
      out.pre_tokenizer = sequence(
          "pretokenizers", {split(qwen2_pattern, "Isolated", false), byte_level(prefix_space, true, false)});
      out.post_processor = byte_level(true, false, true);
      return Done{};
    case Shape::whisper:
      return out.set_template("<|startoftranscript|>:0 <|notimestamps|>:0 $A:0 {eos}:0",
                              "<|startoftranscript|>:0 <|notimestamps|>:0 $A:0 $B:1 {eos}:1");
    case Shape::openai_gpt:
    case Shape::herbert:
      out.normalizer = part("BertNormalizer", object{{"clean_text", true},
                                                     {"handle_chinese_chars", true},
                                                     {"strip_accents", row.shape == Shape::herbert
                                                                           ? boost::json::value(false)
                                                                           : boost::json::value(nullptr)},
                                                     {"lowercase", row.shape == Shape::openai_gpt}});
      out.pre_tokenizer = part("BertPreTokenizer");
      out.decoder = part("BPEDecoder", object{{"suffix", "</w>"}});
      if (row.shape == Shape::herbert) out.post_processor = pair_of(out, "BertProcessing", "sep", "cls");
      return Done{};
  }
  return Done{};
}

}  // namespace

std::string byte_level_text(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) append_utf8(out, byte_letters[static_cast<unsigned char>(byte)]);
  return out;
}

bool is_byte_level_text(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (text[at] >= '!' && text[at] <= '~') {  // Most of what a vocabulary holds.
      ++at;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    if (!byte_of_letter(point.value)) return false;
    at += point.bytes;
  }
  return true;
}

Result<object> document_of_vocab_and_merges(std::string_view vocab_json, std::string_view merges_txt,
                                            const TokenizerConfig& config) {
  auto vocabulary = codec::parse_json_object(vocab_json, {.depth_max = 4, .bytes_max = json_bytes_max});
  if (!vocabulary.ok()) return fail(Reason::bad_request, "vocab.json: " + vocabulary.error().message);
  for (const auto& [token, id] : vocabulary.value())
    if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > UINT32_MAX)
      return fail(Reason::bad_request, "vocab.json holds a token whose id is no id");
  TRY(array merges, merges_of(merges_txt));
  const Row& row = row_of(config);
  const bool with_suffix =
      row.shape == Shape::clip || row.shape == Shape::openai_gpt || row.shape == Shape::herbert;
  boost::json::value unknown;
  if (with_suffix) {
    const AddedToken* given = config.special("unk_token");
    unknown = given != nullptr ? given->content : row.shape == Shape::clip ? "<|endoftext|>" : "<unk>";
  }
  object model = bpe(std::move(vocabulary).value(), std::move(merges), unknown, with_suffix ? "</w>" : "");
  if (row.shape == Shape::openai_gpt || row.shape == Shape::herbert)
    model["continuing_subword_prefix"] = nullptr;
  DocumentBuilder out(std::move(model));
  TRY_DONE(finish(out, row, config));
  return std::move(out).build();
}

}  // namespace holdfast::token
