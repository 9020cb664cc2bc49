#include "token/formats/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <optional>
#include <set>

#include "codec/gguf.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "token/formats/byte_level_document.h"
#include "token/formats/code_points_document.h"
#include "token/formats/document_builder.h"
#include "token/formats/gguf_document.h"
#include "token/formats/sentencepiece_document.h"
#include "token/formats/tiktoken_document.h"
#include "token/formats/word_piece_document.h"
#include "token/models/model_tables.h"

namespace holdfast::token {
namespace {

using boost::json::object;

constexpr uint64_t file_bytes_max = 256 << 20;

// The classes whose fast tokenizer rebuilds its post-processor from add_bos_token and add_eos_token.
bool rebuilds_post_processor(const TokenizerConfig& config) {
  if (!config.add_bos_token && !config.add_eos_token) return false;
  for (const char* name : {"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"})
    if (config.tokenizer_class == name) return true;
  return false;
}

// Classes that read these files in a way of their own, with rules for words or a Python package that is not
// here; taken for BERT's or GPT-2's they would give other tokens without a word. By class, or where none is
// named by the model's type.
Status check_readable(const TokenizerConfig& config) {
  struct Row {
    std::string_view name, model_type;
  };
  constexpr Row rows[] = {{"BertJapanese", ""},     {"Bertweet", ""},
                          {"BioGpt", "biogpt"},     {"BlenderbotSmall", "blenderbot-small"},
                          {"CTRL", "ctrl"},         {"CpmAnt", "cpmant"},
                          {"FSMT", "fsmt"},         {"Flaubert", "flaubert"},
                          {"Phobert", ""},          {"ProphetNet", "prophetnet"},
                          {"RoFormer", "roformer"}, {"XLM", "xlm"}};
  for (const Row& row : rows)
    if (config.tokenizer_class.empty() ? !row.model_type.empty() && config.model_type == row.model_type
                                       : config.tokenizer_class == std::string(row.name) + "Tokenizer")
      return fail(Reason::model_unsupported,
                  fmt::format("a tokenizer of class {}Tokenizer is not supported without a tokenizer.json",
                              row.name));
  return Done{};
}

// Whether what is large in the document may be left out of it.
enum class Large : uint8_t { within, apart };

// A document, and what was left out of it with the bytes that it borrows.
struct Found : FolderDocument {
  std::optional<ModelTables> apart = std::nullopt;
  std::unique_ptr<const std::string> text = nullptr;
  std::unique_ptr<io::MappedFile> mapped = nullptr;

  ModelTables* tables() { return apart ? &*apart : nullptr; }
};

// Tokens that tokenizer_config.json names and the document lacks get the ids after its own.
Result<object> configured(object document, const TokenizerConfig& config, const ModelTables* apart) {
  TRY(DocumentBuilder out, DocumentBuilder::over(std::move(document), apart));
  TokenizerConfig missing = config;
  std::erase_if(missing.added, [&](const AddedToken& token) { return out.has_added(token.content); });
  out.add_configured(missing, "");
  if (rebuilds_post_processor(config))
    TRY_DONE(out.set_bos_eos(config.add_bos_token.value_or(true), config.add_eos_token.value_or(false)));
  return std::move(out).build();
}

Result<Found> finish(object document, TokenizerConfig config, std::string source) {
  return Found{{std::move(document), std::move(config), std::move(source)}};
}

Result<Found> of_tokenizer_json(io::Disk& disk, const io::Path& path, TokenizerConfig config, Large large) {
  TRY(std::string text, io::read_text(disk, path, file_bytes_max));
  if (codec::looks_gzipped(as_bytes(text))) {
    TRY(const Bytes unpacked, codec::inflate(as_bytes(text), codec::Deflate::gzip, file_bytes_max));
    text = as_text(unpacked);
  }
  Found out;
  out.text = std::make_unique<const std::string>(std::move(text));
  constexpr codec::JsonLimits limits{.depth_max = 32, .bytes_max = file_bytes_max};
  if (large == Large::apart)
    if (auto split = split_document(*out.text))
      if (auto rest = codec::parse_json_object(split->rest, limits); rest.ok()) {
        out.document = std::move(rest).value();
        out.apart = std::move(split->tables);
      }
  if (!out.apart) {
    TRY(out.document, codec::parse_json_object(*out.text, limits));
  }
  const bool says_something = !config.added.empty() || !config.specials.empty() ||
                              !config.additional_specials.empty() || rebuilds_post_processor(config);
  if (says_something) {
    TRY(out.document, configured(std::move(out.document), config, out.tables()));
  }
  out.config = std::move(config);
  out.source = path.filename().string();
  return out;
}

Result<Found> of_gguf(io::Disk& disk, const io::Path& path, Large large) {
  Found out;
  TRY(out.mapped, disk.map(path));
  TRY(const codec::GgufFile file, codec::GgufFile::parse(out.mapped->bytes()));
  if (large == Large::apart) out.apart.emplace();
  TRY(out.document, document_of_gguf(file, out.tables()));
  if (out.apart && !out.apart->vocabulary) out.apart.reset();
  TRY(out.config, config_of_gguf(file));
  out.source = path.filename().string();
  return out;
}

// tokenizer.model: SentencePiece, or ranks as Llama 3 ships them.
Result<Found> of_model_file(io::Disk& disk, const io::Path& path, TokenizerConfig config) {
  TRY(const std::string bytes, io::read_text(disk, path, file_bytes_max));
  const std::string name = path.filename().string();
  if (looks_like_tiktoken(bytes)) {
    TRY(object document, document_of_tiktoken(bytes, name, config));
    return finish(std::move(document), std::move(config), name);
  }
  TRY(const SentencePieceModel model, parse_sentencepiece_model(as_bytes(bytes)));
  TRY(object document, document_of_sentencepiece(model, config));
  return finish(std::move(document), std::move(config), name);
}

Result<Found> of_vocab_txt(io::Disk& disk, const io::Path& path, TokenizerConfig config) {
  TRY_DONE(check_readable(config));
  TRY(const std::string text, io::read_text(disk, path, file_bytes_max));
  TRY(object document, document_of_vocab_txt(text, config));
  return finish(std::move(document), std::move(config), path.filename().string());
}

Result<Found> of_vocab_and_merges(io::Disk& disk, const io::Path& folder, TokenizerConfig config) {
  TRY_DONE(check_readable(config));
  TRY(const std::string vocabulary, io::read_text(disk, folder / "vocab.json", file_bytes_max));
  TRY(const std::string merges, io::read_text(disk, folder / "merges.txt", file_bytes_max));
  TRY(object document, document_of_vocab_and_merges(vocabulary, merges, config));
  return finish(std::move(document), std::move(config), "vocab.json");
}

Result<Found> of_tekken(io::Disk& disk, const io::Path& path, TokenizerConfig config) {
  TRY(const std::string text, io::read_text(disk, path, file_bytes_max));
  TRY(object document, document_of_tekken(text, config));
  return finish(std::move(document), std::move(config), path.filename().string());
}

Result<Found> find_in_file(io::Disk& disk, const io::Path& file, Large large) {
  const io::Path folder = file.parent_path().empty() ? io::Path(".") : file.parent_path();
  const std::string name = file.filename().string();
  if (name.ends_with(".gguf")) return of_gguf(disk, file, large);
  if (name == "tokenizer.json" || name.ends_with(".json.gz") ||
      (name.ends_with(".json") && name != "vocab.json" && !name.starts_with("tekken"))) {
    // A tokenizer.json named by itself is taken as it is.
    return of_tokenizer_json(disk, file, TokenizerConfig(), large);
  }
  TRY(TokenizerConfig config, read_tokenizer_config(disk, folder));
  if (name == "vocab.json" || name == "merges.txt")
    return of_vocab_and_merges(disk, folder, std::move(config));
  if (name.starts_with("tekken")) return of_tekken(disk, file, std::move(config));
  if (name.ends_with(".txt")) return of_vocab_txt(disk, file, std::move(config));
  return of_model_file(disk, file, std::move(config));
}

Result<Found> find_in_folder(io::Disk& disk, const io::Path& folder, Large large) {
  TRY(const std::vector<io::Entry> entries, disk.list(folder));
  std::set<std::string, std::less<>> names;
  for (const io::Entry& entry : entries)
    if (!entry.is_directory) names.insert(entry.name);
  const auto ending = [&](std::string_view end) -> std::string {
    for (const std::string& name : names)
      if (name.ends_with(end)) return name;
    return "";
  };
  TRY(TokenizerConfig config, read_tokenizer_config(disk, folder));
  for (const char* name : {"tokenizer.json", "tokenizer.json.gz"})
    if (names.contains(name)) return of_tokenizer_json(disk, folder / name, std::move(config), large);
  if (names.contains("vocab.json") && names.contains("merges.txt"))
    return of_vocab_and_merges(disk, folder, std::move(config));
  for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model",
                           "source.spm", "tiktoken.model"})
    if (names.contains(name)) return of_model_file(disk, folder / name, std::move(config));
  if (names.contains("tekken.json")) return of_tekken(disk, folder / "tekken.json", std::move(config));
  for (const std::string& name : {ending(".tiktoken"), ending(".model")})
    if (!name.empty()) return of_model_file(disk, folder / name, std::move(config));
  if (names.contains("vocab.txt")) return of_vocab_txt(disk, folder / "vocab.txt", std::move(config));
  if (const std::string name = ending(".gguf"); !name.empty()) return of_gguf(disk, folder / name, large);
  if (is_of_code_points(config)) {
    TRY(object document, document_of_code_points(config));
    return finish(std::move(document), std::move(config), "config.json");
  }
  return fail(Reason::entry_not_found, "the folder holds no tokenizer that is known");
}

Result<LoadedTokenizer> load(Result<Found> found) {
  if (!found.ok()) return found.error();
  Found& it = found.value();
  TRY(Tokenizer tokenizer, Tokenizer::from_document(it.document, it.tables()));
  return LoadedTokenizer{std::move(tokenizer), std::move(it.document), std::move(it.config),
                         std::move(it.source)};
}

Result<FolderDocument> document_of(Result<Found> found) {
  if (!found.ok()) return found.error();
  return FolderDocument(std::move(found).value());
}

}  // namespace

Result<FolderDocument> document_of_folder(io::Disk& disk, const io::Path& folder) {
  return document_of(find_in_folder(disk, folder, Large::within));
}

Result<FolderDocument> document_of_file(io::Disk& disk, const io::Path& file) {
  return document_of(find_in_file(disk, file, Large::within));
}

Result<LoadedTokenizer> load_from_folder(io::Disk& disk, const io::Path& folder) {
  return load(find_in_folder(disk, folder, Large::apart));
}

Result<LoadedTokenizer> load_from_file(io::Disk& disk, const io::Path& file) {
  return load(find_in_file(disk, file, Large::apart));
}

}  // namespace holdfast::token
