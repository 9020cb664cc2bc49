#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

namespace holdfast::api {

// What a text exposition of one model's figures says, as Triton's statistics extension writes it: one element
// a version. What is not measured (when it was asked last, batches, how long failures took) is left out.
boost::json::array kserve_statistics(std::string_view figures, const std::string& model);

}  // namespace holdfast::api
