#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/writing.h"
#include "base/clock.h"

namespace holdfast::api {

// A call of llama.cpp's /completion as far as its answer's shape goes.
struct LlamaShape {
  std::string model;
  boost::json::object settings;             // What the answer was asked with.
  std::vector<boost::json::value> prompts;  // One an answer; several are answered with a list.
  std::vector<std::string> fields;          // Alone shown of a whole answer, "a" or "a/b"; empty: all.
  bool streams = false, with_tokens = false, with_probabilities = false;
};

std::unique_ptr<AnswerForm> make_llama_form(LlamaShape shape, const Clock& clock);

}  // namespace holdfast::api
