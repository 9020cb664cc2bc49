#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "serve/worker_protocol.h"

namespace holdfast::api {

// What clients send as inputs: a text, a list of texts, a list of token ids, a list of such lists.
// bad_request for anything else and for nothing.
Result<serve::EmbedItem> read_embed_inputs(const boost::json::value& input);

}  // namespace holdfast::api
