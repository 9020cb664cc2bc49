#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "api/writing.h"
#include "base/clock.h"

namespace holdfast::api {

// A call of llama.cpp's /completion as far as its answer's shape goes.
struct LlamaShape {
  std::string model;
  boost::json::object settings;  // What the answer was asked with.
  boost::json::value prompt;
  bool streams = false, with_tokens = false, with_probabilities = false;
};

std::unique_ptr<AnswerForm> make_llama_form(LlamaShape shape, const Clock& clock);

}  // namespace holdfast::api
