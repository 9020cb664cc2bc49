#pragma once

#include <boost/json/fwd.hpp>
#include <span>

#include "api/call.h"
#include "base/result.h"
#include "scan/card_diff.h"

namespace holdfast::api {

// policy_refused for a token that is bound to an environment: it reads approved revisions, and a comparison
// shows another one.
Status check_may_compare(const Call& call);

// [{"part", "name", "change", "before", "after"}]; texts are cut behind 64 KiB, between characters.
boost::json::array card_changes_view(std::span<const scan::CardDifference> changes);

}  // namespace holdfast::api
