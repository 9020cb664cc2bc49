#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace holdfast::codec {

struct YamlLimits {
  size_t bytes_max = 1 << 20;
  size_t depth_max = 32;
  size_t values_max = 100'000;  // After aliases are expanded: against documents that grow when read.
};

// One YAML document with the types PyYAML's safe_load gives (YAML 1.1: yes/no/on/off are flags, ~ is null,
// 0x1f and 1_000 are integers, 1.5e+3 a number), because that is what the writers of model cards test with.
// Departures: dates and times stay text, keys become text, bytes (!!binary), sets and unknown tags are
// bad_request, 1:30 stays text instead of 90, integers beyond 64 bits become numbers. Merge keys (<<) are
// honoured. An empty document is null.
Result<boost::json::value> parse_yaml(std::string_view text, YamlLimits limits = {});

}  // namespace holdfast::codec
