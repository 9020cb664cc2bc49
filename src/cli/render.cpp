#include "cli/render.h"

#include <boost/json/value.hpp>

#include "cli/user_files.h"
#include "codec/json.h"
#include "jinja/chat.h"

namespace holdfast::cli {
namespace {

constexpr size_t conversation_bytes_max = 64 << 20;

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
  if (arguments.size() != 1) {
    world.complain("holdfast: render takes one TEMPLATE.jinja and a conversation on standard input\n");
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
       "Renders a chat template for the conversation on standard input, as transformers does.",
       "echo '{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}' | holdfast render chat_template.jinja",
       run_render}};
}

}  // namespace holdfast::cli
