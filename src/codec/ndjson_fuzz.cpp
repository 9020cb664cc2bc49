// The first byte says how large the pieces are: however a text is cut, its lines are the same.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "codec/ndjson.h"

namespace {

using namespace holdfast;

struct Outcome {
  bool done = true;
  std::vector<std::string> lines;
};

Outcome outcome_of(std::string_view text, size_t piece_bytes) {
  constexpr size_t line_bytes_max = 40;
  Outcome outcome;
  codec::LineSplitter splitter(line_bytes_max);
  const auto keep = [&outcome](std::string_view line) -> Status {
    CHECK(!line.empty() && line.size() <= line_bytes_max && line.find('\n') == std::string_view::npos);
    outcome.lines.emplace_back(line);
    return Done{};
  };
  while (outcome.done && !text.empty()) {
    const size_t count = std::min(piece_bytes, text.size());
    outcome.done = splitter.update(text.substr(0, count), keep).ok();
    text.remove_prefix(count);
  }
  outcome.done = outcome.done && splitter.finish(keep).ok();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = outcome_of(text, SIZE_MAX), pieces = outcome_of(text, 1 + data[0] % 64);
  CHECK(whole.done == pieces.done);
  CHECK(whole.lines == pieces.lines);
  return 0;
}
