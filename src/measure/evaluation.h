#pragma once

#include <map>
#include <string>
#include <vector>

#include "measure/resample.h"

namespace holdfast::measure {

// One answered row of an evaluation.
struct EvaluatedRow {
  int truth = 0, predicted = 0;
  double confidence = 0;                      // Of the predicted class.
  double latency_milliseconds = 0;            // Of the row's own call; 0 when not measured.
  std::map<std::string, std::string> slices;  // "kind" -> "normal", "length" -> "short".
};

enum class Bound : uint8_t { at_least, at_most };

// What is asked of a metric, fixed before the rows are seen.
struct Criterion {
  std::string metric = {};  // accuracy, macro_f1, ece, latency_p50_ms, latency_p95_ms
  std::string slice = {};   // "" for all rows, else "kind=normal".
  Bound bound = Bound::at_least;
  double limit = 0;
  double margin = 0;    // How far the interval may reach beyond the limit; 0: the estimate alone decides.
  size_t rows_min = 0;  // Fewer rows of the slice say nothing.
};

enum class Verdict : uint8_t { passed, failed, waiting };

struct Judgement {
  Criterion criterion;
  Verdict verdict = Verdict::waiting;
  Interval value;
  size_t rows = 0;
  size_t rows_missing = 0;  // Of a waiting one: how many more rows it needs.
  std::string reason;       // "waiting: needs 120 more rows"
};

struct SliceScores {
  std::string slice;  // "" for all rows.
  size_t rows = 0;
  Interval accuracy, macro_f1;
  double ece = 0;
};

struct Evaluation {
  std::vector<SliceScores> slices;  // All rows first, then by name.
  std::vector<Judgement> judgements;
  double latency_p50_milliseconds = 0, latency_p95_milliseconds = 0;
  Verdict verdict = Verdict::passed;  // Failed before waiting before passed.
};

// Scores of all rows and of each slice with bootstrap intervals, and the verdict on each criterion. The same
// rows and seed give the same evaluation. A criterion with a margin waits until a rate like the one seen can
// be told from the limit that closely (rows_for_half_width); an unknown metric fails with the reason.
Evaluation evaluate(const std::vector<EvaluatedRow>& rows, size_t classes,
                    const std::vector<Criterion>& criteria, const BootstrapOptions& options = {});

std::string_view verdict_name(Verdict verdict);  // "passed", "failed", "waiting"

}  // namespace holdfast::measure
