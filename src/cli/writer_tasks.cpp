#include "cli/writer_tasks.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/completion_writer.h"
#include "cli/conversation.h"
#include "codec/json.h"
#include "model/tasks/tokens.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

json::object describe(const model::TextGenerator& generator, size_t answers) {
  return {{"max_input_length", generator.tokens_max()},
          {"vocabulary", generator.model().plan().vocabulary},
          {"chat_template", generator.chat_template()},
          {"special_tokens", generator.special_tokens()},
          {"answers", answers},
          {"answers_at_once", CompletionWriter::answers_at_once}};
}

Result<json::value> run(const json::object& call, const model::TextGenerator& generator, size_t answers,
                        WallTime now) {
  TRY(const std::string_view task, codec::json_text(call, "task"));
  TRY(const json::object* parameters, codec::json_object(call, "parameters"));
  const json::value* inputs = call.if_contains("inputs");
  if (inputs == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
  if (task == "tokenize") return model::list_tokens(generator.tokenizer(), *inputs, *parameters);
  if (task == "detokenize") return model::join_tokens(generator.tokenizer(), *inputs, *parameters);
  if (task == "describe") return json::value(describe(generator, answers));
  if (task == "render") {
    if (!inputs->is_object()) return fail(Reason::bad_request, "'messages' are missing");
    TRY(const ToolChoice tools, read_tool_choice(inputs->get_object()));
    TRY(const std::string text, render_conversation(inputs->get_object(), tools, generator, now));
    return json::value(text);
  }
  return fail(Reason::model_unsupported, "the model writes text: it has no answer to this task");
}

}  // namespace

Result<serve::EmbedAnswer> answer_writer_task(const serve::EmbedItem& item,
                                              const model::TextGenerator& generator, size_t answers,
                                              WallTime now) {
  if (item.wanted != serve::Wanted::task || item.texts.size() != 1)
    return fail(Reason::model_unsupported, "the model writes text: it has no vectors");
  TRY(const json::object call, codec::parse_json_object(item.texts[0]));
  TRY(const json::value answer, run(call, generator, answers, now));
  serve::EmbedAnswer out;
  out.json = codec::to_text(answer);
  return out;
}

}  // namespace holdfast::cli
