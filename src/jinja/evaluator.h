#pragma once

#include "jinja/runtime.h"
#include "jinja/scope.h"
#include "jinja/tree.h"

namespace holdfast::jinja {

// Expressions to values. One rendering owns it.
class Evaluator {
 public:
  explicit Evaluator(Runtime& runtime) : runtime_(runtime) {}

  Result<Value> evaluate(const Expression& node, const Scope& scope);
  // Calls a call expression with one more named argument, the caller of a call block.
  Result<Value> evaluate_call(const Expression& node, const Scope& scope, const Value* caller);
  // The filters of a block, with `piped` in the place of their value.
  Result<Value> evaluate_piped(const Expression& filters, const Scope& scope, const Value& piped);

 private:
  Result<Value> dispatch(const Expression& node, const Scope& scope);
  Result<Value> name(const Expression& node, const Scope& scope);
  Result<Items> parts(const Expression& node, const Scope& scope);
  Result<Value> dict(const Expression& node, const Scope& scope);
  Result<Value> conditional(const Expression& node, const Scope& scope);
  Result<Value> comparison(const Expression& node, const Scope& scope);
  Result<Value> concat(const Expression& node, const Scope& scope);
  Result<Value> item(const Expression& node, const Scope& scope);
  Result<Value> filter(const Expression& node, const Scope& scope);
  Result<Value> test(const Expression& node, const Scope& scope);
  Result<Arguments> arguments(const CallArguments& given, const Scope& scope);

  Runtime& runtime_;
  const Value* piped_ = nullptr;
};

}  // namespace holdfast::jinja
