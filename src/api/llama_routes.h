#pragma once

#include <boost/json/fwd.hpp>

#include "api/call.h"
#include "api/llama_calls.h"
#include "api/route.h"
#include "serve/models.h"

namespace holdfast::api {

// llama.cpp's server under /models/{ns}/{name}, and so under an endpoint's own address: completion, props,
// slots, detokenize, apply-template.
void add_llama_routes(RouteTable& table, Services& services, serve::Models& models);

// Its /tokenize, whose row is shared: {"content"} to {"tokens"}.
Result<net::Response> llama_tokenize(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                     const boost::json::object& body);

// Its /embedding: {"content"} to [{"index", "embedding": [[…]]}].
Result<net::Response> llama_embedding(const LlamaCall& llama);

}  // namespace holdfast::api
