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

boost::json::object answers_view(const LicenseAnswers& answers) {
  return {{"commercial", verdict_name(answers.commercial)},
          {"attribution", answers.attribution},
          {"distribution", verdict_name(answers.distribution)},
          {"datasets", verdict_name(answers.datasets)}};
}

}  // namespace holdfast::scan
