#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "api/call.h"

namespace holdfast::api {

// What a call of the Inference API asks: an object with inputs and parameters, or the bytes of an image or a
// sound as they are, which InferenceClient sends where it has no parameters.
struct TaskBody {
  boost::json::object json;
  std::string_view file;  // A view into the request; empty: none.
};
// By the content type; where there is none, or a form's, as some tools say by default, by the first byte.
Result<TaskBody> read_task_body(const net::Request& request);

// Whether a task is on an image or a sound.
bool is_on_file(std::string_view task);

// Whether a text is the base64, or a data: address, of an image or a sound that is read here, which nobody
// can look at as a text: each begins with what its format begins with.
bool holds_file(std::string_view text);

}  // namespace holdfast::api
