#include "cli/answered_rows.h"

#include <algorithm>
#include <chrono>

namespace holdfast::cli {

Result<measure::AnsweredRows> answer_rows(const Clock& clock, const model::TextModel& model,
                                          const std::vector<measure::LabelledRow>& rows) {
  const std::vector<std::string>& labels = model.plan().labels;
  TRY_DONE(measure::check_labels(rows, labels));
  std::vector<measure::RowAnswer> answers;
  const auto threads = tensor::make_threads(2);
  for (const measure::LabelledRow& row : rows) {
    const auto began = clock.now();
    TRY(const token::Encoding encoding, model.encode(row.text, std::nullopt, model::LongText::cut));
    TRY(const model::NamedOutput logits, model.logits(std::span(&encoding, 1), *threads));
    std::vector<measure::LabelScore> scores;
    for (size_t i = 0; i < std::min(labels.size(), logits.columns); ++i)
      scores.push_back({labels[i], static_cast<double>(logits.data.data()[i])});
    answers.push_back(
        measure::answer_of(std::move(scores), static_cast<double>((clock.now() - began).count())));
  }
  return measure::number_answers(rows, answers, labels);
}

}  // namespace holdfast::cli
