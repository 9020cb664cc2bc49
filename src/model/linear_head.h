#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace holdfast::model {

// Rows of features with a class each. features[row * width + column].
struct LabelledFeatures {
  std::vector<float> features;
  std::vector<int> labels;
  size_t width = 0;

  size_t rows() const { return labels.size(); }
};

struct HeadTraining {
  double penalty = 1.0;     // Of half the squared weights, against the summed loss: 1 / C of scikit-learn's
                            // LogisticRegression.
  size_t rounds_max = 500;  // Steps of the optimiser.
  size_t patience = 25;     // Rounds without a better validation loss before it stops.
  double start_spread = 0.01;  // Of the weights it starts from, drawn from the seed.
  uint64_t seed = 0;
};

// logits = weights · features + bias: weights[class * width + column].
struct LinearHead {
  std::vector<float> weights, bias;
  size_t width = 0, classes = 0;
};

struct TrainedHead {
  LinearHead head;
  size_t rounds = 0;  // Of the weights kept, those with the lowest validation loss.
  bool stopped_early = false;
  double train_loss = 0, validation_loss = 0;  // Mean cross-entropy.
  double train_accuracy = 0, validation_accuracy = 0;
};

// Multinomial logistic regression by L-BFGS over all rows at once, in double and in one order: the same rows
// and seed give the same bytes. Without validation rows it is refused.
Result<TrainedHead> train_head(const LabelledFeatures& train, const LabelledFeatures& validation,
                               size_t classes, const HeadTraining& options = {});

// Probabilities of each row's classes, [rows, classes].
std::vector<double> head_probabilities(const LinearHead& head, std::span<const float> features);

}  // namespace holdfast::model
