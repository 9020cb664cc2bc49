#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "serve/prompt_check.h"

namespace holdfast::api {

// Whose turns of a chat: those of users and tools, or the system's and the model's own before them too.
enum class Voices : uint8_t { users, all };

// The texts of a body that its caller writes for the model, in any of the protocols: what is said in a chat,
// prompts, inputs, queries, documents. Views into the body's values; at most input_texts_max.
std::vector<std::pair<std::string_view, serve::TextPlace>> input_texts(const boost::json::object& body,
                                                                       Voices voices = Voices::users);
// Whether it asks something in tokens of the model, which nobody can read here.
bool has_token_ids(const boost::json::object& body);
// Whether it asks something of an image or a sound, in which nobody can read either.
bool has_file(const boost::json::object& body);

// The texts that a model's answer says, in any of the protocols; labels, names and vectors are none.
std::vector<std::string_view> output_texts(const boost::json::value& answer);

inline constexpr size_t input_texts_max = 4096;

}  // namespace holdfast::api
