#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/hub_transfer.h"
#include "measure/labelled_rows.h"

namespace holdfast::cli {

// What `holdfast batch run` is to do: rows of a data set, or of a file, through one model.
struct PredictionPlan {
  std::string model{};   // "ns/name" or "ns/name@revision", as it is asked.
  std::string source{};  // "ns/name@commit" of a data set, or a file's SHA-256.
  std::string split{}, column{};
  enum class Ask : uint8_t { task, chat } ask = Ask::task;
  boost::json::object parameters{};  // Of the task, or of the chat call.

  // The same plan over the same rows, the same key: what a run that was interrupted is found again by.
  std::string key(const std::vector<measure::LabelledRow>& rows) const;
  // Where its requests are asked.
  std::string address() const;
  // One line of a batch's input, without its end.
  std::string request(size_t row, const std::string& text) const;
};

// Lines of a batch's input from `first` on, as many as one batch takes; `first` becomes that of the next.
std::string batch_input(const PredictionPlan& plan, const std::vector<measure::LabelledRow>& rows,
                        size_t& first);

// The rows with what was said of each, one JSON object a line, in the rows' order: `answers` are lines of
// output and error files of batches. data_corrupt where a row has none, or two.
Result<std::string> predictions_of(const PredictionPlan& plan, const std::vector<measure::LabelledRow>& rows,
                                   const std::vector<std::string>& answers, size_t& failed);

// The card of the data set that the predictions are: where they come from, and the plan's key.
std::string predictions_card(const PredictionPlan& plan, const std::string& key, size_t rows, size_t failed);

}  // namespace holdfast::cli
