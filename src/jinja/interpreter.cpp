#include "jinja/interpreter.h"

#include "jinja/evaluator.h"
#include "jinja/globals.h"
#include "jinja/iterate.h"
#include "jinja/loop.h"
#include "jinja/python_text.h"
#include "jinja/scope.h"

namespace holdfast::jinja {
namespace {

// How a statement ended.
enum class Flow : uint8_t { on, leave_loop, next_round };

class Interpreter {
 public:
  Interpreter(Runtime& runtime, uint32_t& error_line)
      : runtime_(runtime), error_line_(error_line), evaluator_(runtime) {}

  Result<std::string> run(const Body& body, const std::vector<std::string>& unset, const Variables& variables,
                          const Variables& globals) {
    Scope global, context, root;
    global.names = globals;
    context.parent = &global;
    context.names = variables;
    root.parent = &context;
    root_ = &root;
    for (const std::string& name : unset) root.set(name, undefined_name(name));
    TRY_DONE(execute(body, root));
    return std::move(out_);
  }

 private:
  static void begin_scope(const Statement& statement, size_t body, Scope& scope) {
    if (body < statement.unset.size())
      for (const std::string& name : statement.unset[body]) scope.set(name, undefined_name(name));
  }

  Result<Flow> execute(const Body& body, Scope& scope) {
    for (const auto& statement : body) {
      TRY(const Flow flow, execute(*statement, scope));
      if (flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Result<Flow> execute(const Statement& statement, Scope& scope) {
    Status entered = runtime_.budget.enter();
    if (entered.ok()) entered = runtime_.budget.steps(1);
    auto flow = entered.ok() ? dispatch(statement, scope) : Result<Flow>(std::move(entered).error());
    runtime_.budget.leave();
    if (!flow.ok() && error_line_ == 0) error_line_ = statement.line;
    return flow;
  }

  Result<Flow> dispatch(const Statement& statement, Scope& scope) {
    switch (statement.kind) {
      case StatementKind::data:
        TRY_DONE(put(statement.text));
        return Flow::on;
      case StatementKind::output:
        TRY_DONE(output(statement, scope));
        return Flow::on;
      case StatementKind::conditional:
        return conditional(statement, scope);
      case StatementKind::loop:
        return loop(statement, scope);
      case StatementKind::assign: {
        TRY(const Value value, evaluator_.evaluate(*statement.values[0], scope));
        TRY_DONE(assign(statement.targets[0], value, scope));
        return Flow::on;
      }
      case StatementKind::assign_block: {
        Flow flow = Flow::on;
        TRY(const Value value, captured(statement, scope, flow));
        if (flow == Flow::on) {
          TRY_DONE(assign(statement.targets[0], value, scope));
        }
        return flow;
      }
      case StatementKind::macro:
        scope.set(statement.text, macro(statement, statement.text, scope));
        return Flow::on;
      case StatementKind::call_block:
        TRY_DONE(call_block(statement, scope));
        return Flow::on;
      case StatementKind::filter_block: {
        Flow flow = Flow::on;
        TRY(const Value value, captured(statement, scope, flow));
        if (flow != Flow::on) return flow;
        if (!value.is(Kind::text)) return type_error("expected str instance, " + type_name(value) + " found");
        TRY_DONE(put(value.string()));
        return Flow::on;
      }
      case StatementKind::scope:
        return inner_scope(statement, scope);
      case StatementKind::block: {
        Scopes::Block block(scopes_, statement.scoped ? scope : *root_);
        begin_scope(statement, 0, *block);
        return execute(statement.bodies[0], *block);
      }
      case StatementKind::generation: {
        Scopes::Block block(scopes_, scope);
        begin_scope(statement, 0, *block);
        return execute(statement.bodies[0], *block);
      }
      case StatementKind::leave_loop:
        return Flow::leave_loop;
      case StatementKind::next_round:
        return Flow::next_round;
      case StatementKind::unsupported:
        return type_error(statement.text);
    }
    return Flow::on;
  }

  Status put(std::string_view text) {
    TRY_DONE(runtime_.budget.put_out(text.size()));
    out_ += text;
    return Done{};
  }

  Status output(const Statement& statement, Scope& scope) {
    for (const ExpressionPtr& part : statement.values) {
      auto value = evaluator_.evaluate(*part, scope);
      if (!value.ok()) {
        if (error_line_ == 0) error_line_ = part->line;
        return std::move(value).error();
      }
      TRY(const std::string text, str_of(runtime_, value.value()));
      TRY_DONE(put(text));
    }
    return Done{};
  }

  // What `write` puts out, as text of its own.
  template <class Write>
  Result<std::string> capture(Write&& write) {
    std::string outer;
    outer.swap(out_);
    Status done = write();
    outer.swap(out_);
    if (!done.ok()) return std::move(done).error();
    return outer;
  }

  Result<Flow> conditional(const Statement& statement, Scope& scope) {
    for (size_t i = 0; i < statement.values.size(); ++i) {
      auto test = evaluator_.evaluate(*statement.values[i], scope);
      if (!test.ok()) {
        if (error_line_ == 0) error_line_ = statement.lines[i];
        return std::move(test).error();
      }
      if (truthy(test.value())) return execute(statement.bodies[i], scope);
    }
    if (statement.bodies.size() > statement.values.size()) return execute(statement.bodies.back(), scope);
    return Flow::on;
  }

  Result<Flow> loop(const Statement& statement, Scope& scope) {
    TRY(const Value iterable, evaluator_.evaluate(*statement.values[0], scope));
    return rounds(statement, scope, iterable, 0);
  }

  // How the body of its `else` ended.
  Result<Flow> rounds(const Statement& statement, Scope& scope, const Value& iterable, size_t level) {
    TRY(Items items, collect(runtime_, iterable));
    std::function<Result<std::optional<Value>>(const Value&)> passes;
    if (statement.values[1])
      passes = [this, &statement, &scope](const Value& item) {
        return passed_condition(statement, scope, item);
      };
    std::function<Result<Value>(Runtime&, Arguments)> recurse;
    if (statement.recursive) {
      scope.capture();
      recurse = [this, &statement, &scope, level](Runtime&, Arguments arguments) {
        return recursed(statement, scope, std::move(arguments), level + 1);
      };
    }
    const auto variable = make_loop(std::move(items), level, std::move(passes), std::move(recurse));
    const Value shown = Value::of(Kind::loop, variable);
    auto any_whole = each_round(statement, scope, *variable, shown);
    variable->end();
    if (!any_whole.ok()) return std::move(any_whole).error();
    if (any_whole.value()) return Flow::on;
    // In jinja2 `else` is for loops without a round that came to its end, those left or cut short as well.
    Scopes::Block block(scopes_, scope);
    begin_scope(statement, 1, *block);
    return execute(statement.bodies[1], *block);
  }

  // Whether a round came to the end of the body.
  Result<bool> each_round(const Statement& statement, Scope& scope, LoopObject& variable,
                          const Value& shown) {
    bool any_whole = false;
    for (; variable.reaches(variable.index + 1); ++variable.index) {
      Scopes::Block block(scopes_, scope);
      (*block).set("loop", shown);
      begin_scope(statement, 0, *block);
      const Value item = variable.rounds[variable.index];
      TRY_DONE(assign(statement.targets[0], item, *block));
      TRY(const Flow flow, execute(statement.bodies[0], *block));
      any_whole |= flow == Flow::on;
      if (flow == Flow::leave_loop) return any_whole;
    }
    if (variable.failure) return *variable.failure;
    if (variable.index > 0) --variable.index;  // Kept in a namespace, it goes on telling of the last round.
    return any_whole;
  }

  Result<std::optional<Value>> passed_condition(const Statement& statement, Scope& scope, const Value& item) {
    Scopes::Block block(scopes_, scope);
    TRY_DONE(assign(statement.targets[0], item, *block));
    TRY(const Value test, evaluator_.evaluate(*statement.values[1], *block));
    if (!truthy(test)) return std::optional<Value>();
    if (!statement.targets[0].is_several) return std::optional<Value>(item);
    TRY(Value taken, as_taken(statement.targets[0], *block));
    return std::optional<Value>(std::move(taken));
  }

  // What the names of a target hold, several of them as a tuple.
  Result<Value> as_taken(const Target& target, const Scope& scope) {
    if (!target.is_several) {
      const Value* held = scope.find(target.name);
      return held == nullptr ? undefined_name(target.name) : *held;
    }
    Items items;
    for (const Target& one : target.several) {
      TRY(Value item, as_taken(one, scope));
      items.push_back(std::move(item));
    }
    return Value::tuple(std::move(items));
  }

  // loop(items) of a recursive loop.
  Result<Value> recursed(const Statement& statement, Scope& scope, Arguments arguments, size_t level) {
    if (arguments.positional.size() != 1) return type_error("loop() takes one iterable");
    TRY_DONE(runtime_.budget.enter());
    auto text = capture([&]() -> Status {
      TRY_DONE(rounds(statement, scope, arguments.positional[0], level));
      return Done{};
    });
    runtime_.budget.leave();
    if (!text.ok()) return std::move(text).error();
    return Value::text(std::move(text).value());
  }

  Status assign(const Target& target, const Value& value, Scope& scope) {
    if (target.is_several) return unpack(target, value, scope);
    if (target.attribute.empty()) {
      scope.set(target.name, value);
      return Done{};
    }
    const Value* space = scope.find(target.name);
    if (space == nullptr || !space->is(Kind::name_space))
      return type_error("cannot assign attribute on non-namespace object");
    if (target.attribute.starts_with('_'))
      return type_error(
          "Chat templates cannot store underscore-prefixed attributes on a namespace, but got " +
          quoted(target.attribute) + ". Please rename the attribute.");
    space->changing<NamespaceObject>().set(target.attribute, value);
    return Done{};
  }

  Status unpack(const Target& target, const Value& value, Scope& scope) {
    if (!iterable(value)) return type_error("cannot unpack non-iterable " + type_name(value) + " object");
    TRY(const Items items, collect(runtime_, value));
    const size_t wanted = target.several.size();
    if (items.size() < wanted)
      return type_error("not enough values to unpack (expected " + std::to_string(wanted) + ", got " +
                        std::to_string(items.size()) + ")");
    if (items.size() > wanted)
      return type_error("too many values to unpack (expected " + std::to_string(wanted) + ")");
    for (size_t i = 0; i < wanted; ++i) TRY_DONE(assign(target.several[i], items[i], scope));
    return Done{};
  }

  // The text of a block's body, put through its filters: nothing where the body leaves the loop it is in.
  Result<Value> captured(const Statement& statement, Scope& scope, Flow& flow) {
    TRY(std::string text, capture([&]() -> Status {
          Scopes::Block block(scopes_, scope);
          begin_scope(statement, 0, *block);
          TRY(flow, execute(statement.bodies[0], *block));
          return Done{};
        }));
    if (flow != Flow::on) return Value();
    const Value piped = Value::text(std::move(text));
    return statement.values[0] ? evaluator_.evaluate_piped(*statement.values[0], scope, piped) : piped;
  }

  Result<Flow> inner_scope(const Statement& statement, Scope& scope) {
    Scopes::Block block(scopes_, scope);
    begin_scope(statement, 0, *block);
    for (size_t i = 0; i < statement.targets.size(); ++i) {
      TRY(const Value value, evaluator_.evaluate(*statement.values[i], scope));
      TRY_DONE(assign(statement.targets[i], value, *block));
    }
    return execute(statement.bodies[0], *block);
  }

  Value macro(const Statement& statement, const std::string& name, Scope& scope) {
    scope.capture();
    auto out = std::make_shared<FunctionObject>();
    out->name = name;
    out->type_name = "Macro";
    out->printed = "<Macro " + quoted(name) + ">";
    out->call = [this, &statement, name, &scope](Runtime&, Arguments arguments) {
      return call_macro(statement, name, scope, std::move(arguments));
    };
    out->attribute = [&statement, name](std::string_view wanted) -> std::optional<Value> {
      if (wanted == "name") return Value::text(name);
      if (wanted == "catch_kwargs") return Value::boolean(statement.signature.uses_kwargs);
      if (wanted == "catch_varargs") return Value::boolean(statement.signature.uses_varargs);
      if (wanted == "caller") return Value::boolean(statement.signature.uses_caller);
      return std::nullopt;
    };
    return Value::of(Kind::function, std::move(out));
  }

  Result<Value> call_macro(const Statement& statement, const std::string& name, Scope& scope,
                           Arguments arguments) {
    TRY_DONE(runtime_.budget.enter());
    auto text = capture([&]() -> Status {
      Scopes::Block block(scopes_, scope);
      begin_scope(statement, 0, *block);
      TRY_DONE(bind(statement, name, std::move(arguments), *block));
      TRY_DONE(execute(statement.bodies[0], *block));
      return Done{};
    });
    runtime_.budget.leave();
    if (!text.ok()) return std::move(text).error();
    return Value::text(std::move(text).value());
  }

  Status bind(const Statement& statement, const std::string& name, Arguments arguments, Scope& scope) {
    const Signature& signature = statement.signature;
    const auto take_named = [&](const std::string& wanted) -> std::optional<Value> {
      for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it)
        if (it->first == wanted) {
          Value value = std::move(it->second);
          arguments.named.erase(it);
          return value;
        }
      return std::nullopt;
    };
    const size_t count = signature.names.size();
    bool explicit_caller = false;
    for (size_t i = 0; i < count; ++i) {
      const std::string& parameter = signature.names[i];
      explicit_caller |= parameter == "caller";
      std::optional<Value> value;
      if (i < arguments.positional.size()) {
        value = arguments.positional[i];
      } else {
        value = take_named(parameter);
      }
      if (!value && i + signature.defaults.size() >= count) {
        auto other = evaluator_.evaluate(*signature.defaults[i + signature.defaults.size() - count], scope);
        if (!other.ok()) {
          if (error_line_ == 0) error_line_ = statement.line;  // The macro's, not the call's.
          return std::move(other).error();
        }
        value = std::move(other).value();
      }
      scope.set(parameter,
                value ? std::move(*value) : undefined("parameter '" + parameter + "' was not provided"));
    }
    if (signature.uses_caller && !explicit_caller)
      scope.set("caller", take_named("caller").value_or(undefined("No caller defined")));
    return bind_rest(signature, name, std::move(arguments), scope);
  }

  static Status bind_rest(const Signature& signature, const std::string& name, Arguments arguments,
                          Scope& scope) {
    if (signature.uses_kwargs) {
      std::vector<std::pair<Value, Value>> pairs;
      for (auto& [key, value] : arguments.named) pairs.emplace_back(Value::text(key), std::move(value));
      TRY(Value kwargs, Value::dict(std::move(pairs)));
      scope.set("kwargs", std::move(kwargs));
    } else if (!arguments.named.empty()) {
      if (arguments.named.back().first == "caller")
        return type_error(
            "macro " + quoted(name) +
            " was invoked with two values for the special caller argument. This is most likely a bug.");
      return type_error("macro " + quoted(name) + " takes no keyword argument " +
                        quoted(arguments.named.front().first));
    }
    const size_t count = signature.names.size();
    if (signature.uses_varargs) {
      Items rest;
      for (size_t i = count; i < arguments.positional.size(); ++i) rest.push_back(arguments.positional[i]);
      TRY(Value varargs, Value::tuple(std::move(rest)));
      scope.set("varargs", std::move(varargs));
    } else if (arguments.positional.size() > count) {
      return type_error("macro " + quoted(name) + " takes not more than " + std::to_string(count) +
                        " argument(s)");
    }
    return Done{};
  }

  Status call_block(const Statement& statement, Scope& scope) {
    const Value caller = macro(statement, "caller", scope);
    auto value = evaluator_.evaluate_call(*statement.values[0], scope, &caller);
    if (!value.ok()) return std::move(value).error();
    TRY(const std::string text, str_of(runtime_, value.value()));
    return put(text);
  }

  Runtime& runtime_;
  uint32_t& error_line_;
  Evaluator evaluator_;
  Scopes scopes_;
  Scope* root_ = nullptr;
  std::string out_;
};

}  // namespace

Result<std::string> interpret(const Body& body, const std::vector<std::string>& unset,
                              const Variables& variables, const Variables& globals, Runtime& runtime,
                              uint32_t& error_line) {
  Interpreter interpreter(runtime, error_line);
  return interpreter.run(body, unset, variables, globals);
}

}  // namespace holdfast::jinja
