#pragma once

#include <vector>

#include "base/arguments.h"
#include "cli/predictions.h"

namespace holdfast::cli {

class World;

// The rows that a command names, and what is to be asked of them.
struct PredictionSource {
  PredictionPlan plan;
  std::vector<measure::LabelledRow> rows;
};

// DATASET[@REV] or FILE.jsonl with --model, --split, --column, --parameters and --chat. bad_request where
// there are no rows.
Result<PredictionSource> read_prediction_source(World& world, const Arguments& arguments);

}  // namespace holdfast::cli
