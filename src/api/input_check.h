#pragma once

#include <string_view>

#include "api/call.h"
#include "api/services.h"
#include "base/result.h"

namespace holdfast::api {

// The first character of a JSON text's strings that no input to a model should have: U+0000 to U+001F without
// tab, line feed, form feed and carriage return, and U+007F. bad_request says which, and nothing else of the
// text. What is no JSON is for the parser to refuse.
Status check_json_characters(std::string_view json);
// The same of a text itself, and invalid UTF-8.
Status check_text_characters(std::string_view text);

// Addresses that only split, join and render texts, and run no model.
bool runs_no_model(std::string_view path);

// Before a model is asked, what its protocol's parser does not look at: whether its caller is limited,
// control characters unless input.control-characters lets them in, and input_rules_call.h. Routes that only
// split, join and render texts run no model and take every text.
Status check_input(const Services& services, const Call& call);

// A request that one of a model's doors refused for its shape is an odd one of its caller's.
void note_refused(const Services& services, const Call& call, const Error& error);

}  // namespace holdfast::api
