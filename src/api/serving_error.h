#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"

namespace holdfast::api {

// A failure as the clients of one serving protocol know it: the status that makes them do the right thing,
// and the body that they read. `message` is what the caller may hear of it.
struct ServingError {
  int status = 500;
  boost::json::object body;
};

// {"error": {"message", "type", "param", "code"}}. A key that stands in quotes at the message's begin is the
// param.
ServingError openai_error(const Error& error, const std::string& message);
// {"error", "error_type"}; types are spelled as text-embeddings-inference sends them, not as its pages say.
ServingError tei_error(const Error& error, const std::string& message);
// {"error", "error_type"} of text-generation-inference.
ServingError tgi_error(const Error& error, const std::string& message);
// {"error": {"code", "message", "type"}} of llama.cpp's server.
ServingError llama_error(const Error& error, const std::string& message);
// {"error"} of the open inference protocol.
ServingError kserve_error(const Error& error, const std::string& message);

}  // namespace holdfast::api
