#pragma once

#include <memory>
#include <optional>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// The variable `loop` of one running loop. A condition of the loop is asked for each item when its turn
// comes, or when the body looks further: it may depend on what earlier rounds did. It gives the item as the
// round has it (several targets take a tuple out of any iterable), or nothing.
struct LoopObject final : FunctionObject {
  Items rounds;      // Those that passed, as far as asked.
  Items candidates;  // Of a loop with a condition.
  size_t asked = 0;  // Of the candidates.
  std::function<Result<std::optional<Value>>(const Value&)> passes;
  std::optional<Error> failure;  // Of a condition; nothing passes after it.
  size_t index = 0;
  size_t level = 0;  // Of recursion, from 0.
  std::optional<Value> last_changed;
  bool emptied_at_end = false;

  // Whether there are so many rounds.
  bool reaches(size_t count);
  // No condition can be asked any more: what it refers to is gone.
  void end();
  std::string shown();
};

// `recurse` is what loop(items) does; empty where the loop is not recursive.
std::shared_ptr<LoopObject> make_loop(Items candidates, size_t level,
                                      std::function<Result<std::optional<Value>>(const Value&)> passes,
                                      std::function<Result<Value>(Runtime&, Arguments)> recurse);

}  // namespace holdfast::jinja
