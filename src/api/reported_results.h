#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "govern/measured.h"

namespace holdfast::git {
class ObjectId;
class Repository;
}  // namespace holdfast::git

namespace holdfast::api {

struct Services;

// A card says of itself how good the model is. Each metric of a "model-index" gets "verified", whatever the
// card wrote there: true where an evaluation that this server ran found the same figure, to three decimals,
// on the same data and with the same files, and then "verifiedBy" names the run.
//
// `measured`: what was run of this model. `same_files`: whether a revision's files are those of the one
// shown.
Status label_results(boost::json::value& index, std::span<const govern::MeasuredResult> measured,
                     const std::function<Result<bool>(std::string_view revision)>& same_files);

// The same for what hub_views made of a model's card at `commit`: "model-index", and that of "cardData".
Status label_results_of(Services& services, const repo::Repository& repository,
                        const git::Repository& objects, const git::ObjectId& commit,
                        boost::json::object& view);

}  // namespace holdfast::api
