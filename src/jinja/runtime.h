#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "jinja/budget.h"
#include "jinja/value.h"

namespace holdfast::jinja {

// What expressions need of the rendering they belong to: its budget and the moment it happens at. One thread.
class Runtime {
 public:
  Runtime(const RenderLimits& limits, WallTime moment) : budget(limits), now(moment) {}
  ~Runtime() {
    for (const auto& action : at_end_) action();
  }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // What can hold itself (a namespace) is emptied when the rendering ends, else it would never be freed.
  void at_end(std::function<void()> action) { at_end_.push_back(std::move(action)); }

  Budget budget;
  WallTime now;  // strftime_now reads its fields as local time.

 private:
  std::vector<std::function<void()>> at_end_;
};

// callee(arguments); an error where it is no function.
Result<Value> call_value(Runtime& runtime, const Value& callee, Arguments arguments);

// The errors Python and jinja2 would raise; all are the template's or its input's fault.
inline Error type_error(std::string why) { return fail(Reason::bad_request, std::move(why)); }
// Using a value that is not there.
Error undefined_error(const Value& value);

// Text made by an expression, charged to the budget.
Result<Value> made_text(Runtime& runtime, std::string text);

}  // namespace holdfast::jinja
