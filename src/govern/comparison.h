#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "measure/margin.h"

namespace holdfast::govern {

// An evaluation as it is kept: its body, and its rows with "label", "predicted" and, where the data has one,
// "id".
struct KeptEvaluation {
  const boost::json::object& body;
  const boost::json::array& rows;
};

// How two releases did on the rows that both were run on: rows of the same data set and split with the same
// id and label, or, where rows have no ids, all rows of the same revision of the data in their order. nullopt
// where there are none.
std::optional<measure::PairedCounts> compare_rows(const KeptEvaluation& candidate,
                                                  const KeptEvaluation& baseline);

}  // namespace holdfast::govern
