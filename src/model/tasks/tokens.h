#pragma once

#include <boost/json/fwd.hpp>

#include "model/embedder.h"
#include "token/tokenizer.h"

// What text-embeddings-inference answers about a model's tokenizer and bounds. Inputs as JSON; bad_request
// where they do not fit.
namespace holdfast::model {

// A text or a list of them: for each a list of {id, text, special, start, stop}, places in bytes as that
// server counts; null for special tokens. Parameter add_special_tokens (true).
Result<boost::json::value> list_tokens(const token::Tokenizer& tokenizer, const boost::json::value& inputs,
                                       const boost::json::object& parameters);
// Ids or lists of ids: a list of texts. Parameter skip_special_tokens (true).
Result<boost::json::value> join_tokens(const token::Tokenizer& tokenizer, const boost::json::value& inputs,
                                       const boost::json::object& parameters);
// {max_input_length, labels, pooling}.
boost::json::object describe_model(const Embedder& embedder);

}  // namespace holdfast::model
