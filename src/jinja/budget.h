#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace holdfast::jinja {

// What one rendering may use. A template is untrusted code: past a limit it fails, with the line it was at.
struct RenderLimits {
  uint64_t steps_max = 20'000'000;            // Nodes evaluated and values compared or made.
  size_t depth_max = 600;                     // Nested expressions, statements and macro calls together.
  size_t output_bytes_max = 64 << 20;         // Text put out, captured text included.
  size_t made_bytes_max = size_t{512} << 20;  // All text that expressions make on the way.
};

// What is left of the limits. Owned by one rendering.
class Budget {
 public:
  explicit Budget(const RenderLimits& limits) : limits_(limits) {}

  Status steps(uint64_t count) {
    steps_ += count;
    if (steps_ > limits_.steps_max) return fail(Reason::bad_request, "the template takes too many steps");
    return Done{};
  }
  // Asked before the text is made.
  Status made(size_t bytes) {
    if (bytes > limits_.made_bytes_max - made_)
      return fail(Reason::bad_request, "the template makes too much text");
    made_ += bytes;
    return steps(bytes / 256);
  }
  Status put_out(size_t bytes) {
    if (bytes > limits_.output_bytes_max - put_out_)
      return fail(Reason::bad_request, "the template puts out too much text");
    put_out_ += bytes;
    return Done{};
  }
  Status enter() {
    if (++depth_ > limits_.depth_max) return fail(Reason::bad_request, "the template nests too deeply");
    return Done{};
  }
  void leave() { --depth_; }

 private:
  RenderLimits limits_;
  uint64_t steps_ = 0;
  size_t depth_ = 0, put_out_ = 0, made_ = 0;
};

}  // namespace holdfast::jinja
