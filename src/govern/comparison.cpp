#include "govern/comparison.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/json.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto text = codec::json_text_if(object, key);
  return text.ok() ? text.value().value_or("") : std::string_view();
}

struct Row {
  std::string_view id, label, predicted;
};

std::vector<Row> rows_of(const json::array& rows) {
  std::vector<Row> out;
  for (const json::value& row : rows)
    if (row.is_object())
      out.push_back({text_of(row.get_object(), "id"), text_of(row.get_object(), "label"),
                     text_of(row.get_object(), "predicted")});
  return out;
}

}  // namespace

std::optional<measure::PairedCounts> compare_rows(const KeptEvaluation& candidate,
                                                  const KeptEvaluation& baseline) {
  for (const char* key : {"dataset", "split"})
    if (text_of(candidate.body, key) != text_of(baseline.body, key)) return std::nullopt;
  const std::vector<Row> ours = rows_of(candidate.rows), theirs = rows_of(baseline.rows);
  measure::PairedCounts counts;
  const auto count = [&](const Row& our, const Row& their) {
    const bool candidate_right = our.predicted == our.label, baseline_right = their.predicted == their.label;
    ++counts.rows;
    if (candidate_right && !baseline_right) ++counts.only_candidate;
    if (!candidate_right && baseline_right) ++counts.only_baseline;
  };
  const bool named = !ours.empty() && !ours.front().id.empty();
  if (named) {
    std::unordered_map<std::string_view, const Row*> known;
    for (const Row& row : theirs)
      if (!row.id.empty()) known.emplace(row.id, &row);
    for (const Row& row : ours) {
      const auto found = known.find(row.id);
      if (found == known.end() || found->second == nullptr || found->second->label != row.label) continue;
      count(row, *found->second);
      found->second = nullptr;  // A row is counted once.
    }
  } else if (ours.size() == theirs.size() &&
             text_of(candidate.body, "dataset_revision") == text_of(baseline.body, "dataset_revision")) {
    for (size_t i = 0; i < ours.size(); ++i)
      if (ours[i].label == theirs[i].label) count(ours[i], theirs[i]);
  }
  if (counts.rows == 0) return std::nullopt;
  return counts;
}

}  // namespace holdfast::govern
