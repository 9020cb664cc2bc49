#include "cli/tokenizer_train.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/arguments.h"
#include "cli/tokenizer_files.h"
#include "codec/json.h"
#include "token/formats/document_builder.h"
#include "token/save.h"
#include "token/training/train.h"
#include "token/unicode/utf8.h"

namespace holdfast::cli {
namespace {

using boost::json::object;

constexpr uint64_t corpus_bytes_max = uint64_t{8} << 30;

constexpr FlagRow flags[] = {
    {.name = "--type", .value = "KIND", .help = "bpe, wordpiece, unigram or wordlevel."},
    {.name = "--out", .value = "FILE", .help = "The tokenizer.json to write."},
    {.name = "--vocab-size", .value = "N", .help = "Tokens in all; 30000, for unigram 8000."},
    {.name = "--min-frequency", .value = "N", .help = "Rarer pairs and words are left alone."},
    {.name = "--special-token",
     .value = "TOKEN",
     .help = "A special token, first in the vocabulary.",
     .times = FlagRow::Times::many},
    {.name = "--unk-token", .value = "TOKEN", .help = "Stands for what is not in the vocabulary."},
    {.name = "--limit-alphabet", .value = "N", .help = "Keeps so many characters, the commonest."},
    {.name = "--initial-alphabet", .value = "TEXT", .help = "Characters that are kept in any case."},
    {.name = "--continuing-prefix", .value = "TEXT", .help = "Marks tokens within a word; wordpiece: ##."},
    {.name = "--end-of-word-suffix", .value = "TEXT", .help = "Marks tokens at the end of a word."},
    {.name = "--max-token-length", .value = "N", .help = "In characters; for unigram 16."},
    {.name = "--like",
     .value = "FILE",
     .help = "Takes normalizer, pre-tokenizer and the rest from this tokenizer."},
    {.name = "--byte-level", .help = "Cuts and writes bytes as GPT-2 does; for bpe."},
    {.name = "--json", .help = "Answers one JSON object."},
};

Result<std::optional<size_t>> number(const Arguments& arguments, std::string_view flag) {
  const auto text = arguments.value(flag);
  if (!text) return std::optional<size_t>();
  size_t out = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (code != std::errc() || end != text->data() + text->size())
    return fail(Reason::bad_request, fmt::format("{} takes a whole number", flag));
  return std::optional(out);
}

std::optional<std::string> text(const Arguments& arguments, std::string_view flag) {
  const auto found = arguments.value(flag);
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

Result<token::TrainedKind> kind_of(std::string_view name) {
  if (name == "bpe") return token::TrainedKind::bpe;
  if (name == "wordpiece") return token::TrainedKind::word_piece;
  if (name == "unigram") return token::TrainedKind::unigram;
  if (name == "wordlevel") return token::TrainedKind::word_level;
  return fail(Reason::bad_request, "--type is one of bpe, wordpiece, unigram, wordlevel");
}

void add_bytes(std::set<char32_t>& alphabet) {
  for (char32_t code = 0x21; code < 0x144; ++code) {
    const bool hole = (code > 0x7E && code < 0xA1) || code == 0xAD;
    if (!hole) alphabet.insert(code);
  }
}

Result<token::TrainOptions> options_of(const Arguments& arguments) {
  token::TrainOptions out;
  TRY(out.kind, kind_of(arguments.value_or("--type", "")));
  TRY(out.vocabulary_size, number(arguments, "--vocab-size"));
  TRY(const auto frequency, number(arguments, "--min-frequency"));
  out.min_frequency = frequency.value_or(0);
  TRY(out.limit_alphabet, number(arguments, "--limit-alphabet"));
  TRY(out.max_token_length, number(arguments, "--max-token-length"));
  out.unknown_token = text(arguments, "--unk-token");
  out.continuing_subword_prefix = text(arguments, "--continuing-prefix");
  out.end_of_word_suffix = text(arguments, "--end-of-word-suffix");
  const std::string_view alphabet = arguments.value_or("--initial-alphabet", "");
  if (!token::is_valid_utf8(alphabet)) return fail(Reason::bad_request, "--initial-alphabet is not UTF-8");
  token::for_each_code_point(alphabet,
                             [&](char32_t code, size_t, size_t) { out.initial_alphabet.insert(code); });
  if (arguments.has("--byte-level")) add_bytes(out.initial_alphabet);
  for (const std::string_view content : arguments.all("--special-token")) {
    token::AddedToken special;
    special.content = content;
    special.normalized = false;
    special.special = true;
    out.special_tokens.push_back(std::move(special));
  }
  return out;
}

// What surrounds the model where --like names none.
object plain_document(token::TrainedKind kind, bool byte_level) {
  object out;
  if (byte_level) {
    out["pre_tokenizer"] = token::part(
        "ByteLevel", object{{"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}});
    out["decoder"] = token::part(
        "ByteLevel", object{{"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}});
    return out;
  }
  switch (kind) {
    case token::TrainedKind::word_piece:
      out["normalizer"] = token::part("BertNormalizer", object{{"clean_text", true},
                                                               {"handle_chinese_chars", true},
                                                               {"strip_accents", nullptr},
                                                               {"lowercase", true}});
      out["pre_tokenizer"] = token::part("BertPreTokenizer");
      out["decoder"] = token::part("WordPiece", object{{"prefix", "##"}, {"cleanup", true}});
      break;
    case token::TrainedKind::unigram: {
      const object metaspace = token::part(
          "Metaspace", object{{"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}});
      out["pre_tokenizer"] = metaspace;
      out["decoder"] = metaspace;
      break;
    }
    case token::TrainedKind::bpe:
    case token::TrainedKind::word_level:
      out["pre_tokenizer"] = token::part("Whitespace");
      break;
  }
  return out;
}

// Lines with their ends, as the reference library reads a corpus.
Status count_file(UserFiles& files, std::string_view named, token::WordCounter& counter) {
  if (named.ends_with(".jsonl")) {
    TRY(const std::vector<std::string> texts, read_texts(files, named));
    for (const std::string& one : texts) TRY_DONE(counter.add(one));
    return Done{};
  }
  TRY(const auto mapped, files.disk().map(files.path(named)));
  std::string_view all = as_text(mapped->bytes());
  if (all.size() > corpus_bytes_max) return fail(Reason::input_too_long, "the corpus is too large");
  while (!all.empty()) {
    const size_t end = std::min(all.find('\n'), all.size() - 1) + 1;
    TRY_DONE(counter.add(all.substr(0, end)));
    all.remove_prefix(end);
  }
  return Done{};
}

Status train(World& world, const Arguments& arguments) {
  if (!arguments.has("--type") || !arguments.has("--out"))
    return fail(Reason::bad_request, "tokenizer train takes --type, --out and files of text");
  TRY(const token::TrainOptions options, options_of(arguments));
  TRY(UserFiles files, UserFiles::open());
  object document = plain_document(options.kind, arguments.has("--byte-level"));
  if (const auto like = arguments.value("--like")) {
    TRY(token::FolderDocument found, open_tokenizer(files, *like));
    document = std::move(found.document);
    document["added_tokens"] = boost::json::array();
    document["post_processor"] = nullptr;  // It names ids of the old vocabulary.
  }
  TRY(token::WordCounter counter, token::WordCounter::open(document));
  for (const std::string_view file : arguments.positionals()) TRY_DONE(count_file(files, file, counter));
  const std::vector<token::WordCount> words = std::move(counter).take();
  TRY(document, token::train_document(std::move(document), words, options));
  TRY(const token::Tokenizer tokenizer, token::Tokenizer::from_document(document));
  TRY(const std::string digest, token::tokenizer_digest(document));
  TRY(const std::string saved, token::saved_tokenizer_json(std::move(document)));
  TRY_DONE(files.write(*arguments.value("--out"), saved));
  const size_t size = tokenizer.vocabulary_size();
  if (arguments.has("--json"))
    world.print(codec::to_text(object{{"vocab_size", size}, {"words", words.size()}, {"digest", digest}}) +
                "\n");
  else
    world.print(fmt::format("{}: {} tokens from {} different words, digest {}\n", *arguments.value("--out"),
                            size, words.size(), digest));
  return Done{};
}

int run_train(World& world, std::span<const std::string_view> words) {
  const auto arguments =
      Arguments::parse({.flags = flags, .positionals_min = 1, .positionals_max = 10'000}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const Status done = train(world, arguments.value());
  return done.ok() ? exit_done : report(world, done.error(), output);
}

}  // namespace

Command tokenizer_train_command() {
  return {
      "tokenizer train",
      "--type bpe|wordpiece|unigram|wordlevel --out FILE TEXT_FILE… [--vocab-size N] [--min-frequency N] "
      "[--special-token TOKEN]… [--byte-level] [--like FILE] [--json]",
      "Trains a tokenizer on files of text and writes its tokenizer.json.",
      "holdfast tokenizer train --type bpe --byte-level --vocab-size 8000 --out tokenizer.json corpus.txt",
      run_train};
}

}  // namespace holdfast::cli
