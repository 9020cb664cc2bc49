#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "serve/prompt_check.h"

namespace holdfast::api {

// The texts of a body that its caller writes for the model, in any of the protocols: what a user or a tool
// says in a chat, prompts, inputs, queries, documents. What the system or the model itself says is not among
// them. Views into the body's values; at most input_texts_max.
std::vector<std::pair<std::string_view, serve::TextPlace>> input_texts(const boost::json::object& body);

inline constexpr size_t input_texts_max = 4096;

}  // namespace holdfast::api
