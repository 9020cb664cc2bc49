#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "base/result.h"
#include "govern/registry.h"

namespace holdfast::api {

// How the registry's values are written; docs/registry-api.md says what each field means.
boost::json::object exception_view(const govern::Exception& exception);
boost::json::object evidence_view(const govern::Evidence& evidence);
boost::json::object criteria_view(const govern::Criteria& criteria);
boost::json::object role_view(const govern::Role& role);
boost::json::array missing_view(const std::vector<govern::Missing>& missing, const govern::Record& record,
                                int64_t release);
boost::json::object release_short_view(const govern::Release& release);
boost::json::object request_view(const govern::KeptRequest& request);
boost::json::object review_view(const govern::ReviewItem& item);

// With all that is known about it: gates, approvals, watch, timeline.
Result<boost::json::object> release_view(govern::Registry& registry, const identity::Caller& caller,
                                         const std::string& record, int64_t number);
Result<boost::json::object> record_view(govern::Registry& registry, const identity::Caller& caller,
                                        const govern::StoredRecord& stored);
Result<boost::json::object> incident_view(govern::Registry& registry, const identity::Caller& caller,
                                          const govern::Incident& incident);
// The five questions of an incident, for every record of a feature; not_found for a feature of none.
Result<boost::json::object> whatis_view(govern::Registry& registry, const identity::Caller& caller,
                                        std::string_view feature);

}  // namespace holdfast::api
