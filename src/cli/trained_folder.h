#pragma once

#include <string>
#include <vector>

#include "cli/model_source.h"
#include "io/disk.h"
#include "model/linear_head.h"

namespace holdfast::cli {

// What a training was made of, for the card and training.json. Nothing in it differs from run to run.
struct TrainingRecord {
  Source base, data;
  std::string label, text;
  std::vector<std::string> classes;
  size_t train_rows = 0, validation_rows = 0;
  model::HeadTraining options;
  model::TrainedHead trained;
  size_t high_findings = 0;  // Of measure::vet on the training rows,
  std::string despite;       // and why they were used all the same.
  bool overfits = false;     // Training is that much better than validation.
};

inline constexpr double overfit_gap = 0.1;  // Of accuracy.

// A model folder that transformers loads as BertForSequenceClassification: the base's weights and the head,
// config, tokenizer files, card, training.json. The same record gives the same bytes.
Status write_trained_folder(io::Disk& base, io::Disk& out, const TrainingRecord& record);

}  // namespace holdfast::cli
