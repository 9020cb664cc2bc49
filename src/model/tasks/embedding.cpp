#include "model/tasks/embedding.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
namespace {

boost::json::array numbers(std::span<const float> values) {
  boost::json::array out;
  out.reserve(values.size());
  for (float x : values) out.emplace_back(x);
  return out;
}

// Texts as tokens. A sentence model cuts what is too long unless told not to, as sentence-transformers does;
// any other refuses unless told to cut.
Result<std::vector<TokenizedText>> tokenize(const Embedder& embedder, const std::vector<std::string>& texts,
                                            const boost::json::object& parameters) {
  TRY(const auto name, codec::json_text_if(parameters, "prompt_name"));
  TRY(const std::string prompt, embedder.prompt(name));
  TRY(const auto direction, codec::json_text_if(parameters, "truncation_direction"));
  const bool left = direction && (*direction == "left" || *direction == "Left");
  bool cuts = embedder.is_sentence_model();
  if (parameters.contains("truncate") || parameters.contains("truncation")) {
    TRY(const LongText asked, read_long_text(parameters));
    cuts = asked == LongText::cut;
  }
  std::vector<TokenizedText> out;
  for (const std::string& text : texts) {
    TRY(TokenizedText one, embedder.tokenize(text, left ? token::Side::left : token::Side::right, prompt));
    if (one.truncated && !cuts)
      return fail(Reason::input_too_long,
                  fmt::format("an input has more than the {} tokens that the model takes; ask for truncation "
                              "to cut it",
                              embedder.tokens_max()));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Result<boost::json::value> extract_features(const Embedder& embedder, const boost::json::value& inputs,
                                            const boost::json::object& parameters, tensor::Threads& threads) {
  TRY(const std::vector<std::string> texts, read_texts(inputs, "inputs"));
  TRY(const std::vector<TokenizedText> tokens, tokenize(embedder, texts, parameters));
  boost::json::array all;
  if (embedder.is_sentence_model()) {
    VectorOptions options;
    TRY(options.normalize, codec::json_flag_if(parameters, "normalize"));
    TRY(options.dimensions, read_count(parameters, "dimensions"));
    TRY(const auto vectors, embedder.embed(tokens, threads, options));
    for (const std::vector<float>& vector : vectors) all.push_back(numbers(vector));
  } else {
    TRY(const auto features, embedder.features(tokens, threads));
    const size_t width = embedder.feature_width();
    for (const std::vector<float>& rows : features) {
      boost::json::array text;
      for (size_t at = 0; at < rows.size(); at += width)
        text.push_back(numbers(std::span(rows).subspan(at, width)));
      boost::json::array one;
      one.push_back(std::move(text));
      all.push_back(std::move(one));
    }
  }
  if (inputs.is_array()) return boost::json::value(std::move(all));
  return std::move(all[0]);
}

Result<boost::json::value> compare_sentences(const Embedder& embedder, const boost::json::value& inputs,
                                             const boost::json::object& parameters,
                                             tensor::Threads& threads) {
  if (!inputs.is_object())
    return fail(Reason::bad_request, "sentence-similarity takes source_sentence and sentences");
  TRY(const std::string_view source, codec::json_text(inputs.get_object(), "source_sentence"));
  TRY(const boost::json::array* sentences, codec::json_array(inputs.get_object(), "sentences"));
  TRY(std::vector<std::string> texts, read_texts(*sentences, "sentences"));
  texts.insert(texts.begin(), std::string(source));
  TRY(const std::vector<TokenizedText> tokens, tokenize(embedder, texts, parameters));
  VectorOptions options;
  options.normalize = true;
  TRY(const auto vectors, embedder.embed(tokens, threads, options));
  boost::json::array out;
  for (size_t i = 1; i < vectors.size(); ++i) {
    double sum = 0;
    for (size_t k = 0; k < vectors[0].size(); ++k)
      sum += static_cast<double>(vectors[0][k]) * static_cast<double>(vectors[i][k]);
    out.emplace_back(sum);
  }
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
