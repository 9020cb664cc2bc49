#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <vector>

#include "scan/finding.h"

namespace holdfast::cli {

// A finding as SARIF 2.1.0 has it, and what else is known of it.
struct SarifFinding {
  const scan::Finding& finding;
  boost::json::object more{};  // Its properties: the commit, for one.
};

// A log with one run, as code hosts and viewers read it. `gaps`: what was not looked at; with any the run was
// not successful.
boost::json::object sarif_log(std::span<const SarifFinding> findings, std::span<const std::string> gaps);

}  // namespace holdfast::cli
