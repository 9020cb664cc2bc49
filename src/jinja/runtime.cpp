#include "jinja/runtime.h"

namespace holdfast::jinja {

Error undefined_error(const Value& value) { return type_error(value.as<UndefinedObject>().message); }

Result<Value> call_value(Runtime& runtime, const Value& callee, Arguments arguments) {
  TRY_DONE(runtime.budget.steps(1));
  if (callee.is(Kind::undefined)) return undefined_error(callee);
  if (!callee.is(Kind::function) && !callee.is(Kind::loop))
    return type_error("'" + type_name(callee) + "' object is not callable");
  return callee.as<FunctionObject>().call(runtime, std::move(arguments));
}

Result<Value> made_text(Runtime& runtime, std::string text) {
  TRY_DONE(runtime.budget.made(text.size()));
  return Value::text(std::move(text));
}

}  // namespace holdfast::jinja
