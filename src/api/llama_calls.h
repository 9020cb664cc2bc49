#pragma once

#include <boost/json/object.hpp>

#include "api/call.h"
#include "api/services.h"
#include "serve/models.h"

namespace holdfast::api {

// One request to one model in the protocol of llama.cpp's server.
struct LlamaCall {
  Services& services;
  serve::Models& models;
  const Call& call;
  serve::ServedModel model;
  boost::json::object body;
};

// That server's keys, ours, and its value where the caller says nothing.
struct LlamaSetting {
  const char *theirs, *ours;
  double fallback;
};
inline constexpr LlamaSetting llama_settings[] = {{"temperature", "temperature", 0.8},
                                                  {"top_k", "top_k", 40},
                                                  {"top_p", "top_p", 0.95},
                                                  {"min_p", "min_p", 0.05},
                                                  {"typical_p", "typical_p", 1},
                                                  {"repeat_penalty", "repetition_penalty", 1},
                                                  {"presence_penalty", "presence_penalty", 0},
                                                  {"frequency_penalty", "frequency_penalty", 0}};

// One prompt, answered with an object, or several, answered with a list. Keys that nobody knows are passed
// over, as that server does; those of ways to choose that are not offered are refused.
Result<net::Response> llama_completion(const LlamaCall& llama);
// Of a model that has words for it.
Result<net::Response> llama_infill(const LlamaCall& llama);

}  // namespace holdfast::api
