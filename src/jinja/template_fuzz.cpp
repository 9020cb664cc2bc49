#include <cstddef>
#include <cstdint>
#include <string_view>

#include "jinja/template.h"

// A template is parsed and rendered against a small conversation under tight limits: nothing but text or an
// error may come of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::jinja;
  const auto parsed = Template::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) return 0;
  auto message = Value::dict(
      {{Value::text("role"), Value::text("user")}, {Value::text("content"), Value::text(" h\xc3\xa9 ")}});
  auto messages = Value::list({message.value(), message.value()});
  const Template::Variables variables = {{"messages", messages.value()},
                                         {"tools", Value()},
                                         {"add_generation_prompt", Value::boolean(true)},
                                         {"number", Value::integer(7)},
                                         {"bos_token", Value::text("<s>")}};
  const RenderLimits limits{
      .steps_max = 20'000, .depth_max = 200, .output_bytes_max = 1 << 16, .made_bytes_max = 1 << 20};
  (void)parsed.value().render(variables, holdfast::WallTime{}, limits);
  return 0;
}
