#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "scan/finding.h"

namespace holdfast::cli {

// "notes.txt:3", "a.zip (b.pkl) @17".
std::string finding_place(const scan::Finding& finding);
boost::json::object finding_json(const scan::Finding& finding);

}  // namespace holdfast::cli
