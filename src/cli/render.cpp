#include "cli/render.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/user_files.h"
#include "codec/json.h"
#include "jinja/chat.h"

namespace holdfast::cli {
namespace {

constexpr size_t conversation_bytes_max = 64 << 20;

constexpr size_t line_bytes_max = 64 << 20;

// One line: the keys of a conversation and its `template`.
Result<std::string> render_line(World& world, const std::string& line) {
  TRY(const boost::json::object object,
      codec::parse_json_object(line, {.depth_max = jinja::nesting_max, .bytes_max = line_bytes_max}));
  TRY(const std::string_view source, codec::json_text(object, "template"));
  TRY(const jinja::Template chat_template, jinja::Template::parse(source));
  boost::json::object conversation = object;
  conversation.erase("template");
  TRY(const jinja::ChatRequest request, jinja::chat_request(conversation, world.clock().wall()));
  return jinja::render_chat(chat_template, request);
}

Status render_lines(World& world) {
  while (true) {
    TRY(const std::optional<std::string> line, world.read_line(line_bytes_max));
    if (!line) return Done{};
    if (line->empty()) continue;
    const auto text = render_line(world, *line);
    boost::json::object answer;
    if (text.ok())
      answer["text"] = text.value();
    else
      answer["error"] = text.error().message;
    world.print(codec::to_text(answer) + "\n");
  }
}

Result<std::string> render(World& world, std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string source, files.read(path, jinja::template_bytes_max));
  TRY(const jinja::Template chat_template, jinja::Template::parse(source));
  TRY(const std::string input, world.read_all(conversation_bytes_max));
  TRY(const boost::json::value json,
      codec::parse_json(input, {.depth_max = jinja::nesting_max, .bytes_max = conversation_bytes_max}));
  TRY(const jinja::ChatRequest request, jinja::chat_request(json, world.clock().wall()));
  return jinja::render_chat(chat_template, request);
}

int run_render(World& world, std::span<const std::string_view> arguments) {
  if (arguments.size() == 1 && arguments[0] == "--lines") {
    const Status done = render_lines(world);
    return done.ok() ? exit_done : report(world, done.error());
  }
  if (arguments.size() != 1) {
    world.complain(
        "holdfast: render takes one TEMPLATE.jinja and a conversation on standard input, or --lines\n");
    return exit_misused;
  }
  const auto text = render(world, arguments[0]);
  if (!text.ok()) {
    world.complain("holdfast: " + text.error().message + "\n");
    return exit_failed;
  }
  world.print(text.value());
  return exit_done;
}

}  // namespace

std::vector<Command> render_commands() {
  return {
      {"render", "TEMPLATE.jinja",
       "Renders a chat template for the conversation on standard input, as transformers does; --lines "
       "answers JSON lines "
       "that hold a template each.",
       "echo '{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}' | holdfast render chat_template.jinja",
       run_render}};
}

}  // namespace holdfast::cli
