#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "govern/releases.h"
#include "measure/answered_rows.h"

namespace holdfast::govern {

// What an evaluation was a run of.
struct EvaluationRun {
  std::string model{}, revision{};            // Of the release.
  std::string dataset{}, dataset_revision{};  // Its commit.
  std::string split{};
  int64_t criteria = 0;  // The number of those that stood when it began.
  int64_t seed = 0;      // Of the bootstrap.
  std::string began{};   // By the registry's clock.
  std::string metric_code{};
};

// The evidence of a run, whoever ran it: figures with intervals, by slice, and every row without its text,
// which the data's revision has by the row's id. `answers_digest` in the body is over rows, labels and
// answers but not over times: the same run again has the same.
NewEvidence evaluation_evidence(const EvaluationRun& run, const std::vector<measure::LabelledRow>& rows,
                                const measure::AnsweredRows& answers);

}  // namespace holdfast::govern
