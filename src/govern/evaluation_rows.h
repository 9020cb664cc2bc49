#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "base/result.h"

namespace holdfast::govern {

// Holds the rows of an evaluation against its figures, so that a result cannot be made up: the number of
// rows, the accuracy, and rows and accuracy of each slice ("kind:edge": rows whose `kind` is "edge"). A row
// has `label` and `predicted`. bad_request names the figure that differs.
Status check_evaluation_rows(const boost::json::object& body, const std::vector<boost::json::object>& rows);

}  // namespace holdfast::govern
