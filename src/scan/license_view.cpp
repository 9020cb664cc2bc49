#include "scan/license_view.h"

#include <boost/json/object.hpp>

namespace holdfast::scan {

boost::json::array reasons_view(const LicenseReport& report) {
  boost::json::array reasons;
  for (const LicenseReason& reason : report.reasons)
    reasons.push_back(boost::json::object{{"verdict", verdict_name(reason.verdict)},
                                          {"component", reason.component},
                                          {"license", reason.license},
                                          {"rule", reason.rule},
                                          {"reason", reason.reason},
                                          {"clause", reason.clause}});
  return reasons;
}

}  // namespace holdfast::scan
