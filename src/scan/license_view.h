#pragma once

#include <boost/json/array.hpp>

#include "scan/license.h"

namespace holdfast::scan {

// The reasons of a report as the API and release checks show them: verdict, component, license, rule, reason,
// clause.
boost::json::array reasons_view(const LicenseReport& report);

}  // namespace holdfast::scan
