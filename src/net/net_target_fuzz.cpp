// Request targets: routing with its captures, queries, and ranges. Input: the target, a line feed, a Range
// value.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/router.h"

namespace {

using namespace holdfast::net;

Router hub() {
  Router router;
  for (const char* pattern :
       {"/", "/api/models/{namespace}/{name}/tree/{revision}/{path*}", "/{namespace}/{name}.git/info/refs",
        "/{namespace}/{name}/resolve/{revision}/{path*}", "/files/index-{part}.json", "/files/{any}"}) {
    Route route{.method = "GET", .pattern = pattern, .name = pattern, .handle = Handler()};
    if (!router.add(std::move(route)).ok()) std::abort();
  }
  return router;
}

bool walks(std::string_view value) {
  while (true) {
    const std::string_view segment = value.substr(0, value.find('/'));
    if (segment == "." || segment == "..") return true;
    if (segment.size() == value.size()) return false;
    value.remove_prefix(segment.size() + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router router = hub();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  Request request;
  request.target = input.substr(0, line);
  const auto match = router.match("GET", request.path());
  if (match.ok()) {
    for (const auto& [name, value] : match.value().captures) {
      if (walks(value)) std::abort();
      for (const char c : value)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
    }
  }
  (void)request.query().flag("expand");
  if (line == std::string_view::npos) return 0;
  const uint64_t body_size = size * 37 % 1000;
  const auto range = parse_range(input.substr(line + 1), body_size);
  if (range.ok() && range.value()) {
    const ByteRange& part = *range.value();
    if (part.first > part.last || part.last >= body_size) std::abort();
  }
  return 0;
}
