#pragma once

#include <memory>
#include <optional>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// The variable `loop` of one running loop.
struct LoopObject final : FunctionObject {
  Items rounds;
  size_t index = 0;
  size_t level = 0;  // Of recursion, from 0.
  std::optional<Value> last_changed;
  bool emptied_at_end = false;
};

// `recurse` is what loop(items) does; empty where the loop is not recursive.
std::shared_ptr<LoopObject> make_loop(Items rounds, size_t level,
                                      std::function<Result<Value>(Runtime&, Arguments)> recurse);

}  // namespace holdfast::jinja
