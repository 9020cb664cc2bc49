#pragma once

#include <boost/json/fwd.hpp>

#include "model/embedder.h"

namespace holdfast::model {

// A sentence model's vector, or the hidden states [1][tokens][E] of each text; a list of texts gives a list.
// Parameters: normalize, prompt_name, truncate, truncation_direction, dimensions.
Result<boost::json::value> extract_features(const Embedder& embedder, const boost::json::value& inputs,
                                            const boost::json::object& parameters, tensor::Threads& threads);
// {source_sentence, sentences}: one cosine a sentence.
Result<boost::json::value> compare_sentences(const Embedder& embedder, const boost::json::value& inputs,
                                             const boost::json::object& parameters, tensor::Threads& threads);

}  // namespace holdfast::model
