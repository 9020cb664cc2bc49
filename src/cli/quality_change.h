#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/text_generator.h"
#include "model/text_model.h"

namespace holdfast::cli {

// What a variant of a model answers beside the model itself.
struct QualityChange {
  std::string measure;  // "cosine of sentence vectors", "labels that agree", ...
  double mean = 0, least = 0;
  size_t compared = 0;  // Texts or tokens.
  double drop() const { return 1 - mean; }
};

// policy_refused where more is lost than a bound allows.
Status check_drop(const QualityChange& change, std::optional<double> drop_max);

// Sentences for who has no texts of the model's own work: questions, news, reviews, code, numbers.
std::span<const std::string_view> built_in_sentences();

// Vectors of a bare encoder by their cosine; of a head the labels (per text or per token) and the logits'
// cosine as the least.
Result<QualityChange> compare_models(const model::TextModel& model, const model::TextModel& variant,
                                     std::span<const std::string> texts, tensor::Threads& threads);

// Of models that write: after each token of each text, whether both find the same one next; the least is of
// the scores' cosine. Texts are cut where the model's length ends.
Result<QualityChange> compare_writers(const model::TextGenerator& model, const model::TextGenerator& variant,
                                      std::span<const std::string> texts, tensor::Threads& threads);

}  // namespace holdfast::cli
