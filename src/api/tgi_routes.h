#pragma once

#include <boost/json/fwd.hpp>

#include "api/call.h"
#include "api/route.h"
#include "serve/models.h"

namespace holdfast::api {

// text-generation-inference's addresses under /models/{ns}/{name}, and so under an endpoint's own: generate,
// generate_stream (reference: serving, 1.2). Its info, tokenize and health share their rows with
// text-embeddings-inference's: the model says which of the two answers.
void add_tgi_routes(RouteTable& table, Services& services, serve::Models& models);

// As find_served_model of the address, or the adapter of it that the body's `adapter_id` names.
Result<serve::ServedModel> find_written_model(Services& services, const Call& call);

// The task API's answer of a model that writes: text-generation, streamed where the body says so.
Result<net::Response> answer_text_generation(Services& services, serve::Models& models, const Call& call,
                                             const serve::ServedModel& model,
                                             const boost::json::object& body);

// What /info says of a model that writes, and what /tokenize does.
Result<net::Response> tgi_info(serve::Models& models, const Call& call, const serve::ServedModel& model);
Result<net::Response> tgi_tokenize(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                   const boost::json::object& body);

}  // namespace holdfast::api
