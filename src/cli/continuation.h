#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "model/text_generator.h"

namespace holdfast::cli {

// The task text-generation as transformers' pipeline answers it (5.23): `inputs` are a text, a conversation
// (a list of {"role", "content"}), or a list of either; `parameters` those of generate(), and
// return_full_text [true], stop (a text or a list), seed. [{"generated_text"}] for one, with as many as
// num_return_sequences; a list of those for a list. A conversation comes back with the assistant's message,
// or with its last one longer where that is an assistant's. Without a length, 256 tokens. bad_request and
// not_offered name the key; input_too_long both counts.
Result<boost::json::value> continue_text(const model::TextGenerator& generator,
                                         const boost::json::value& inputs,
                                         const boost::json::object& parameters, tensor::Threads& threads,
                                         WallTime now);

}  // namespace holdfast::cli
