#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "base/clock.h"
#include "cli/tool_choice.h"
#include "model/text_generator.h"

namespace holdfast::cli {

// The prompt that the messages of a chat completion make by the model's own template: "messages", "tools",
// "documents", "chat_template_kwargs" and "reasoning_effort" of its body. bad_request for what is no
// conversation, model_unsupported where the template has no place for what is asked.
Result<std::string> render_conversation(const boost::json::object& body, const ToolChoice& tools,
                                        const model::TextGenerator& generator, WallTime now);

// What the model's own template writes of a call as jinja::chat_request reads it; the model has one. The
// special tokens are added here.
Result<std::string> write_prompt(boost::json::object call, const model::TextGenerator& generator,
                                 WallTime now);

}  // namespace holdfast::cli
