#include "token/training/train.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "token/formats/document_builder.h"
#include "token/training/bpe_trainer.h"
#include "token/training/unigram_trainer.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

std::vector<std::string> contents_of(const std::vector<AddedToken>& tokens) {
  std::vector<std::string> out;
  for (const AddedToken& token : tokens) out.push_back(token.content);
  return out;
}

object ids_of(const std::vector<std::string>& tokens) {
  object out;
  out.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) out[tokens[id]] = static_cast<int64_t>(id);
  return out;
}

value or_null(const std::optional<std::string>& text) { return text ? value(*text) : value(nullptr); }

TrainedBpe trained_bpe(const std::vector<WordCount>& words, const TrainOptions& options) {
  BpeTraining training;
  training.vocabulary_size = options.vocabulary_size.value_or(training.vocabulary_size);
  training.min_frequency = options.min_frequency;
  training.special_tokens = contents_of(options.special_tokens);
  training.limit_alphabet = options.limit_alphabet;
  training.initial_alphabet = options.initial_alphabet;
  training.continuing_subword_prefix = options.continuing_subword_prefix;
  if (options.kind == TrainedKind::word_piece && !training.continuing_subword_prefix)
    training.continuing_subword_prefix = "##";
  training.end_of_word_suffix = options.end_of_word_suffix;
  if (options.kind == TrainedKind::bpe) training.max_token_length = options.max_token_length;
  return train_bpe(words, training);
}

object starting_model(object& document, const TrainOptions& options) {
  constexpr std::string_view names[] = {"BPE", "WordPiece", "Unigram", "WordLevel"};
  const std::string_view kind = names[static_cast<size_t>(options.kind)];
  if (value* model = document.if_contains("model"); model != nullptr && model->is_object())
    if (const value* type = model->get_object().if_contains("type");
        type != nullptr && type->is_string() && type->get_string() == kind)
      return std::move(model->get_object());
  switch (options.kind) {
    case TrainedKind::bpe:
      return part(kind, object{{"dropout", nullptr},
                               {"unk_token", or_null(options.unknown_token)},
                               {"continuing_subword_prefix", nullptr},
                               {"end_of_word_suffix", nullptr},
                               {"fuse_unk", false},
                               {"byte_fallback", false},
                               {"ignore_merges", false}});
    case TrainedKind::word_piece:
      return part(kind, object{{"unk_token", options.unknown_token.value_or("[UNK]")},
                               {"continuing_subword_prefix", "##"},
                               {"max_input_chars_per_word", 100}});
    case TrainedKind::unigram:
      return part(kind, object{{"unk_id", nullptr}, {"byte_fallback", false}});
    case TrainedKind::word_level:
      break;
  }
  return part(kind, object{{"unk_token", options.unknown_token.value_or("<unk>")}});
}

std::vector<std::string> word_level_tokens(std::vector<WordCount> words, const TrainOptions& options) {
  std::ranges::sort(words, [](const WordCount& a, const WordCount& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
  std::vector<std::string> out = contents_of(options.special_tokens);
  for (const WordCount& word : words)
    if (word.count >= options.min_frequency) out.push_back(word.word);
  out.resize(std::min(out.size(), options.vocabulary_size.value_or(30'000)));
  return out;
}

Status train_model(object& model, const std::vector<WordCount>& words, const TrainOptions& options) {
  switch (options.kind) {
    case TrainedKind::bpe: {
      const TrainedBpe trained = trained_bpe(words, options);
      array merges;
      merges.reserve(trained.merges.size());
      for (const auto& [left, right] : trained.merges)
        merges.push_back(array{trained.tokens[left], trained.tokens[right]});
      model["continuing_subword_prefix"] = or_null(options.continuing_subword_prefix);
      model["end_of_word_suffix"] = or_null(options.end_of_word_suffix);
      model["vocab"] = ids_of(trained.tokens);
      model["merges"] = std::move(merges);
      return Done{};
    }
    case TrainedKind::word_piece: {
      const TrainedBpe trained = trained_bpe(words, options);
      model["continuing_subword_prefix"] = options.continuing_subword_prefix.value_or("##");
      model["vocab"] = ids_of(trained.tokens);
      return Done{};
    }
    case TrainedKind::word_level:
      model["vocab"] = ids_of(word_level_tokens(words, options));
      return Done{};
    case TrainedKind::unigram:
      break;
  }
  UnigramTraining training;
  training.vocabulary_size = options.vocabulary_size.value_or(training.vocabulary_size);
  training.sub_iterations = options.sub_iterations;
  training.shrinking_factor = options.shrinking_factor;
  training.special_tokens = contents_of(options.special_tokens);
  training.initial_alphabet = options.initial_alphabet;
  training.unknown_token = options.unknown_token;
  training.piece_length_max = options.max_token_length.value_or(training.piece_length_max);
  TRY(const TrainedUnigram trained, train_unigram(words, training));
  array vocabulary;
  vocabulary.reserve(trained.pieces.size());
  for (const TrainedPiece& piece : trained.pieces) vocabulary.push_back(array{piece.text, piece.score});
  model["unk_id"] = trained.unknown_id ? value(int64_t{*trained.unknown_id}) : value(nullptr);
  model["vocab"] = std::move(vocabulary);
  return Done{};
}

}  // namespace

Result<object> train_document(object document, const std::vector<WordCount>& words,
                              const TrainOptions& options) {
  object model = starting_model(document, options);
  TRY_DONE(train_model(model, words, options));
  document["model"] = std::move(model);
  TRY(DocumentBuilder out, DocumentBuilder::over(std::move(document)));
  for (AddedToken token : options.special_tokens) {
    token.special = true;
    out.add(std::move(token));
  }
  return std::move(out).build();
}

}  // namespace holdfast::token
