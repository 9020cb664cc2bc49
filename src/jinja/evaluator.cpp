#include "jinja/evaluator.h"

#include "jinja/access.h"
#include "jinja/filters.h"
#include "jinja/iterate.h"
#include "jinja/operators.h"
#include "jinja/predicates.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {

Result<Value> Evaluator::evaluate(const Expression& node, const Scope& scope) {
  Status entered = runtime_.budget.enter();
  if (entered.ok()) entered = runtime_.budget.steps(1);
  auto out = entered.ok() ? dispatch(node, scope) : Result<Value>(std::move(entered).error());
  runtime_.budget.leave();
  return out;
}

Result<Value> Evaluator::dispatch(const Expression& node, const Scope& scope) {
  switch (node.kind) {
    case ExpressionKind::constant:
      return node.constant;
    case ExpressionKind::name:
      return name(node, scope);
    case ExpressionKind::list: {
      TRY(Items items, parts(node, scope));
      return Value::list(std::move(items));
    }
    case ExpressionKind::tuple: {
      TRY(Items items, parts(node, scope));
      return Value::tuple(std::move(items));
    }
    case ExpressionKind::dict:
      return dict(node, scope);
    case ExpressionKind::conditional:
      return conditional(node, scope);
    case ExpressionKind::logical_or:
    case ExpressionKind::logical_and: {
      TRY(Value left, evaluate(*node.parts[0], scope));
      if (truthy(left) == (node.kind == ExpressionKind::logical_or)) return left;
      return evaluate(*node.parts[1], scope);
    }
    case ExpressionKind::logical_not: {
      TRY(const Value value, evaluate(*node.parts[0], scope));
      return Value::boolean(!truthy(value));
    }
    case ExpressionKind::compare:
      return comparison(node, scope);
    case ExpressionKind::binary: {
      TRY(const Value left, evaluate(*node.parts[0], scope));
      TRY(const Value right, evaluate(*node.parts[1], scope));
      return binary(runtime_, node.name, left, right);
    }
    case ExpressionKind::concat:
      return concat(node, scope);
    case ExpressionKind::negate: {
      TRY(const Value value, evaluate(*node.parts[0], scope));
      return negative(value);
    }
    case ExpressionKind::plus: {
      TRY(const Value value, evaluate(*node.parts[0], scope));
      return positive(value);
    }
    case ExpressionKind::attribute: {
      TRY(const Value value, evaluate(*node.parts[0], scope));
      return get_attribute(runtime_, value, node.name);
    }
    case ExpressionKind::item:
      return item(node, scope);
    case ExpressionKind::slice:
      return type_error("a slice stands only between brackets");
    case ExpressionKind::call:
      return evaluate_call(node, scope, nullptr);
    case ExpressionKind::filter:
      return filter(node, scope);
    case ExpressionKind::test:
      return test(node, scope);
  }
  return Value();
}

Result<Value> Evaluator::name(const Expression& node, const Scope& scope) {
  const Value* found = scope.find(node.name);
  return found != nullptr ? *found : undefined_name(node.name);
}

Result<Items> Evaluator::parts(const Expression& node, const Scope& scope) {
  Items items;
  items.reserve(node.parts.size());
  for (const ExpressionPtr& part : node.parts) {
    TRY(Value item, evaluate(*part, scope));
    items.push_back(std::move(item));
  }
  return items;
}

Result<Value> Evaluator::dict(const Expression& node, const Scope& scope) {
  TRY(Items items, parts(node, scope));
  std::vector<std::pair<Value, Value>> pairs;
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    pairs.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  return Value::dict(std::move(pairs));
}

Result<Value> Evaluator::conditional(const Expression& node, const Scope& scope) {
  TRY(const Value test, evaluate(*node.parts[0], scope));
  if (truthy(test)) return evaluate(*node.parts[1], scope);
  if (node.parts[2]) return evaluate(*node.parts[2], scope);
  return undefined("the inline if-expression on line " + std::to_string(node.line) +
                   " evaluated to false and no else section was defined.");
}

Result<Value> Evaluator::comparison(const Expression& node, const Scope& scope) {
  TRY(Value left, evaluate(*node.parts[0], scope));
  for (size_t i = 0; i < node.operators.size(); ++i) {
    TRY(Value right, evaluate(*node.parts[i + 1], scope));
    TRY(const bool holds, compare(runtime_, node.operators[i], left, right));
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Result<Value> Evaluator::concat(const Expression& node, const Scope& scope) {
  std::string out;
  for (const ExpressionPtr& part : node.parts) {
    TRY(const Value value, evaluate(*part, scope));
    TRY(const std::string text, str_of(runtime_, value));
    out += text;
  }
  return Value::text(std::move(out));
}

Result<Value> Evaluator::item(const Expression& node, const Scope& scope) {
  TRY(const Value value, evaluate(*node.parts[0], scope));
  const Expression& key = *node.parts[1];
  if (key.kind != ExpressionKind::slice) {
    TRY(const Value wanted, evaluate(key, scope));
    return get_item(runtime_, value, wanted);
  }
  Value bounds[3];
  for (size_t i = 0; i < 3; ++i)
    if (key.parts[i]) {
      TRY(bounds[i], evaluate(*key.parts[i], scope));
    }
  return get_slice(runtime_, value, bounds[0], bounds[1], bounds[2]);
}

Result<Arguments> Evaluator::arguments(const CallArguments& given, const Scope& scope) {
  Arguments out;
  for (const ExpressionPtr& part : given.positional) {
    TRY(Value value, evaluate(*part, scope));
    out.positional.push_back(std::move(value));
  }
  for (const auto& [name, part] : given.named) {
    TRY(Value value, evaluate(*part, scope));
    out.named.emplace_back(name, std::move(value));
  }
  if (given.rest) {
    TRY(const Value rest, evaluate(*given.rest, scope));
    TRY(const Items items, collect(runtime_, rest));
    out.positional.insert(out.positional.end(), items.begin(), items.end());
  }
  if (given.named_rest) {
    TRY(const Value rest, evaluate(*given.named_rest, scope));
    if (!rest.is(Kind::dict))
      return type_error("argument after ** must be a mapping, not " + type_name(rest));
    for (const auto& [key, value] : rest.as_dict().pairs) {
      if (!key.is(Kind::text)) return type_error("keywords must be strings");
      for (const auto& known : out.named)
        if (known.first == key.string())
          return type_error("got multiple values for keyword argument '" + key.string() + "'");
      out.named.emplace_back(key.string(), value);
    }
  }
  return out;
}

Result<Value> Evaluator::evaluate_call(const Expression& node, const Scope& scope, const Value* caller) {
  TRY(const Value callee, evaluate(*node.parts[0], scope));
  TRY(Arguments given, arguments(node.arguments, scope));
  if (caller != nullptr) given.named.emplace_back("caller", *caller);
  return call_value(runtime_, callee, std::move(given));
}

Result<Value> Evaluator::evaluate_piped(const Expression& filters, const Scope& scope, const Value& piped) {
  const Value* outer = std::exchange(piped_, &piped);
  auto out = evaluate(filters, scope);
  piped_ = outer;
  return out;
}

Result<Value> Evaluator::filter(const Expression& node, const Scope& scope) {
  const Filter run = find_filter(node.name);
  if (run == nullptr) return type_error("No filter named '" + node.name + "' found.");
  Value value = node.parts[0] || piped_ == nullptr ? Value() : *piped_;
  if (node.parts[0]) {
    TRY(value, evaluate(*node.parts[0], scope));
  }
  TRY(Arguments given, arguments(node.arguments, scope));
  return run(runtime_, value, std::move(given));
}

Result<Value> Evaluator::test(const Expression& node, const Scope& scope) {
  const Predicate predicate = find_predicate(node.name);
  if (predicate == nullptr) return type_error("No test named '" + node.name + "' found.");
  TRY(const Value value, evaluate(*node.parts[0], scope));
  TRY(Arguments given, arguments(node.arguments, scope));
  TRY(const bool holds, predicate(runtime_, value, std::move(given)));
  return Value::boolean(holds);
}

}  // namespace holdfast::jinja
