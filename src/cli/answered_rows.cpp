#include "cli/answered_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace holdfast::cli {
namespace {

// The class with the greatest logit and its softmax.
std::pair<int, double> read_logits(const model::NamedOutput& logits) {
  const std::vector<float> all(logits.data.data(), logits.data.data() + logits.data.size());
  const auto best = std::max_element(all.begin(), all.end());
  double sum = 0;
  for (const float one : all) sum += std::exp(static_cast<double>(one) - static_cast<double>(*best));
  return {static_cast<int>(best - all.begin()), 1 / sum};
}

}  // namespace

Result<AnsweredRows> answer_rows(const Clock& clock, const model::TextModel& model,
                                 const std::vector<LabelledRow>& rows) {
  AnsweredRows out{.labels = model.plan().labels, .rows = {}};
  const auto threads = tensor::make_threads(2);
  for (const LabelledRow& row : rows) {
    const auto found = std::find(out.labels.begin(), out.labels.end(), row.label);
    if (found == out.labels.end())
      return fail(Reason::bad_request,
                  fmt::format("the model has no class '{}', which row {} carries", row.label, row.id));
    const auto began = clock.now();
    TRY(const token::Encoding encoding, model.encode(row.text, std::nullopt, model::LongText::cut));
    TRY(const model::NamedOutput logits, model.logits(std::span(&encoding, 1), *threads));
    const auto [predicted, confidence] = read_logits(logits);
    out.rows.push_back({static_cast<int>(found - out.labels.begin()), predicted, confidence,
                        static_cast<double>((clock.now() - began).count()), row.others});
  }
  return out;
}

}  // namespace holdfast::cli
