#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/structured/grammar.h"

namespace holdfast::cli {

// Which functions a model is shown and whether it must call one: "tools", "tool_choice" and
// "parallel_tool_calls" of a chat completion.
struct ToolChoice {
  enum class Mode : uint8_t { none, free, one_of, named };
  Mode mode = Mode::none;
  std::vector<std::string> functions;  // Their names.
  std::string named;
  bool one_call = false;  // At most one in an answer.
  // What holds the answer to a call; null where it is free.
  std::shared_ptr<const model::structured::Grammar> grammar;
};

// bad_request names the key; a keyword of a schema that must be held to and is not known is one too.
Result<ToolChoice> read_tool_choice(const boost::json::object& body);

}  // namespace holdfast::cli
