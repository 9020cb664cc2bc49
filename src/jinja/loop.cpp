#include "jinja/loop.h"

#include "jinja/globals.h"

namespace holdfast::jinja {
namespace {

Value count(size_t number) { return Value::integer(static_cast<Integer>(number)); }

size_t length_of(LoopObject& loop) {
  loop.reaches(SIZE_MAX);
  return loop.rounds.size();
}

Value cycle_function(std::shared_ptr<LoopObject> loop) {
  return make_function("cycle", [loop](Runtime&, Arguments arguments) -> Result<Value> {
    if (arguments.positional.empty()) return type_error("no items for cycling given");
    return arguments.positional[loop->index % arguments.positional.size()];
  });
}

Value changed_function(std::shared_ptr<LoopObject> loop) {
  return make_function("changed", [loop](Runtime& runtime, Arguments arguments) -> Result<Value> {
    TRY(Value now, Value::tuple(std::move(arguments.positional)));
    if (loop->last_changed && equal(*loop->last_changed, now)) return Value::boolean(false);
    // The value may hold this loop.
    if (!std::exchange(loop->emptied_at_end, true)) runtime.at_end([loop] { loop->last_changed.reset(); });
    loop->last_changed = std::move(now);
    return Value::boolean(true);
  });
}

std::optional<Value> loop_attribute(const std::shared_ptr<LoopObject>& loop, std::string_view name) {
  const size_t index = loop->index;
  if (name == "index") return count(index + 1);
  if (name == "index0") return count(index);
  if (name == "revindex") return count(length_of(*loop) - index);
  if (name == "revindex0") return count(length_of(*loop) - index - 1);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(!loop->reaches(index + 2));
  if (name == "length") return count(length_of(*loop));
  if (name == "depth") return count(loop->level + 1);
  if (name == "depth0") return count(loop->level);
  if (name == "previtem")
    return index == 0 ? undefined("there is no previous item") : loop->rounds[index - 1];
  if (name == "nextitem")
    return loop->reaches(index + 2) ? loop->rounds[index + 1] : undefined("there is no next item");
  if (name == "cycle") return cycle_function(loop);
  if (name == "changed") return changed_function(loop);
  return std::nullopt;
}

}  // namespace

bool LoopObject::reaches(size_t count) {
  while (rounds.size() < count && asked < candidates.size()) {
    auto passed = passes(candidates[asked++]);
    if (!passed.ok()) {
      failure = std::move(passed).error();
      end();
    } else if (passed.value()) {
      rounds.push_back(std::move(*passed.value()));
    }
  }
  return rounds.size() >= count;
}

void LoopObject::end() {
  passes = nullptr;
  asked = candidates.size();
}

std::string LoopObject::shown() {
  return "<LoopContext " + std::to_string(index + 1) + "/" + std::to_string(length_of(*this)) + ">";
}

std::shared_ptr<LoopObject> make_loop(Items candidates, size_t level,
                                      std::function<Result<std::optional<Value>>(const Value&)> passes,
                                      std::function<Result<Value>(Runtime&, Arguments)> recurse) {
  auto loop = std::make_shared<LoopObject>();
  loop->name = "loop";
  loop->type_name = "LoopContext";
  loop->level = level;
  for (const Value& item : candidates) {
    loop->depth = std::max(loop->depth, item.depth() + 1);
    loop->weight += item.weight();
  }
  loop->passes = std::move(passes);
  (loop->passes ? loop->candidates : loop->rounds) = std::move(candidates);
  loop->call = std::move(recurse);
  if (!loop->call)
    loop->call = [](Runtime&, Arguments) -> Result<Value> {
      return type_error("The loop must have the 'recursive' marker to be called recursively.");
    };
  loop->attribute = [weak = std::weak_ptr<LoopObject>(loop)](std::string_view name) -> std::optional<Value> {
    const auto alive = weak.lock();
    return alive ? loop_attribute(alive, name) : std::nullopt;
  };
  return loop;
}

}  // namespace holdfast::jinja
