#include "model/pipeline.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "model/tasks/embedding.h"
#include "model/tasks/tasks.h"
#include "model/tasks/tokens.h"

namespace holdfast::model {
namespace {

constexpr std::string_view names[] = {"feature-extraction",
                                      "sentence-similarity",
                                      "text-classification",
                                      "token-classification",
                                      "fill-mask",
                                      "question-answering",
                                      "zero-shot-classification",
                                      "rerank",
                                      "text-ranking",
                                      "sentiment-analysis",
                                      "ner"};

}  // namespace

std::span<const std::string_view> pipeline_tasks() { return names; }

Result<Pipeline> Pipeline::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                const Backend* graphs, Random* keep) {
  TRY(Embedder embedder, Embedder::open(disk, folder, compute, graphs, keep));
  return Pipeline(std::move(embedder));
}

std::string_view Pipeline::task() const {
  switch (embedder_.text_model().plan().head) {
    case Head::sequence_classification:
      return "text-classification";
    case Head::token_classification:
      return "token-classification";
    case Head::fill_mask:
      return "fill-mask";
    case Head::question_answering:
      return "question-answering";
    case Head::none:
    case Head::multiple_choice:
    case Head::pre_training:
    case Head::next_sentence:
      return "feature-extraction";
  }
  return "feature-extraction";
}

Result<boost::json::value> Pipeline::run(std::string_view task, const boost::json::value& inputs,
                                         const boost::json::object& parameters, tensor::Threads& threads,
                                         StageTimes* times) const {
  const TaskCall call{embedder_.text_model(), inputs, parameters, threads, times};
  if (task == "feature-extraction") return extract_features(embedder_, inputs, parameters, threads);
  if (task == "sentence-similarity") return compare_sentences(embedder_, inputs, parameters, threads);
  if (task == "text-classification" || task == "sentiment-analysis") return classify_text(call);
  if (task == "token-classification" || task == "ner") return classify_tokens(call);
  if (task == "fill-mask") return fill_mask(call);
  if (task == "question-answering") return answer_question(call);
  if (task == "zero-shot-classification") return classify_zero_shot(call);
  if (task == "embed-sparse") return embed_sparse(call);
  if (task == "rerank" || task == "text-ranking") return rerank(call);
  if (task == "tokenize") return list_tokens(embedder_.text_model().tokenizer(), inputs, parameters);
  if (task == "detokenize") return join_tokens(embedder_.text_model().tokenizer(), inputs, parameters);
  if (task == "describe") return boost::json::value(describe_model(embedder_));
  return fail(Reason::not_offered, fmt::format("there is no task '{}'", task.substr(0, 60)));
}

}  // namespace holdfast::model
