#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "api/call.h"
#include "serve/models.h"

namespace holdfast::api {

// Asks a model one task of the Inference API; its answer as JSON. `file`: the bytes it is on, instead of
// inputs.
Result<boost::json::value> ask_task(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                    std::string_view task, boost::json::value inputs,
                                    boost::json::object parameters, std::string_view file = {});

// "ns/name" of an address that names its model.
std::string model_in_path(const Call& call);
// The same where the address names one; else what the body's "model" says.
Result<std::string> model_wanted(const Call& call, const boost::json::object& body);

}  // namespace holdfast::api
