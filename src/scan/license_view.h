#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "scan/license.h"
#include "scan/license_answers.h"

namespace holdfast::scan {

// The reasons of a report as the API and release checks show them: verdict, component, license, rule, reason,
// clause.
boost::json::array reasons_view(const LicenseReport& report);
// commercial, attribution, distribution, datasets.
boost::json::object answers_view(const LicenseAnswers& answers);

}  // namespace holdfast::scan
