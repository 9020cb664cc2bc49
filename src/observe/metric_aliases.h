#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::observe {

// Servers by whose metric names dashboards may find ours.
enum class AliasOf : uint8_t { tgi, tei, vllm };
using AliasSet = std::set<AliasOf>;

// "tgi,vllm"; bad_request for another name.
Result<AliasSet> parse_aliases(std::string_view names);

// Of the figures of models in a text exposition (version 0.0.4) the same ones again under the names of those
// servers (docs/metrics.md). A label model_name is our endpoint's.
std::string metric_aliases(std::string_view exposition, const AliasSet& wanted);

}  // namespace holdfast::observe
