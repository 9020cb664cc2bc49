#pragma once

#include <memory>

#include "api/writing.h"

namespace holdfast::api {

// A call of text-generation-inference as far as its answer's shape goes.
struct TgiShape {
  bool streams = false;
  bool in_list = false;  // As the task API answers: a list of one.
  bool details = false, prefill = false, top_tokens = false;
  bool sampled = false;  // A greedy answer has no seed.
};

std::unique_ptr<AnswerForm> make_tgi_form(const TgiShape& shape);

}  // namespace holdfast::api
