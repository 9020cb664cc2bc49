#include <cstddef>
#include <cstdint>
#include <string>

#include "api/kserve_call.h"

// The first two bytes say how much of the rest is JSON; beyond its end: all of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::api;
  if (size < 2) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t length = data[0] + data[1] * size_t{256};
  const std::string header = std::to_string(length);
  const auto call = read_kserve_call(body, length > body.size() ? std::optional<std::string_view>()
                                                                : std::optional<std::string_view>(header));
  if (call.ok())
    (void)write_kserve_answer(call.value(), "m", "1", {{"text", {1}, std::vector<std::string>{"a"}}}).ok();
  return 0;
}
