#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace holdfast::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class ExpressionKind : uint8_t {
  constant,
  name,
  list,
  tuple,
  dict,         // parts: key, value, key, value …
  conditional,  // parts: test, then, else (may be null)
  logical_or,
  logical_and,
  logical_not,
  compare,  // parts[0], then operators[i] parts[i + 1]
  binary,   // name is the operator
  concat,
  negate,
  plus,
  attribute,  // parts[0].name
  item,       // parts[0][parts[1]]
  slice,      // parts: start, stop, step; each may be null
  call,       // parts[0](arguments)
  filter,     // parts[0] | name(arguments); parts[0] is null where a block is piped in
  test,       // parts[0] is name(arguments)
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr rest, named_rest;  // *rest, **named_rest
};

struct Expression {
  ExpressionKind kind = ExpressionKind::constant;
  uint32_t line = 1;
  uint32_t depth = 1;  // Of the tree below; bounded by the parser.
  std::string name;
  Value constant;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> operators;
  CallArguments arguments;
};

// What an assignment writes to: a name, an attribute of a namespace, or several of them.
struct Target {
  uint32_t line = 1;
  std::string name, attribute;
  std::vector<Target> several;
  bool is_several = false;
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct Signature {
  std::vector<std::string> names;
  std::vector<ExpressionPtr> defaults;  // Of the last names.
  bool uses_caller = false, uses_varargs = false, uses_kwargs = false;
};

enum class StatementKind : uint8_t {
  data,
  output,
  conditional,   // values: tests; bodies: one each, and one more for else
  loop,          // values: iterable, filter (may be null); bodies: body, else
  assign,        // targets[0] = values[0]
  assign_block,  // targets[0] = bodies[0] through values[0] (a filter, may be null)
  macro,         // name, signature, bodies[0]
  call_block,    // values[0] is the call; signature, bodies[0] are its caller
  filter_block,  // bodies[0] through values[0]
  scope,         // with: targets[i] = values[i]; bodies[0]
  block,         // bodies[0], which sees the names of the template alone, or with `scoped` those around it
  generation,    // bodies[0]
  leave_loop,    // break
  next_round,    // continue
  unsupported,   // fails with `text` when reached
};

struct Statement {
  StatementKind kind = StatementKind::data;
  uint32_t line = 1;
  std::string text;  // The data; a macro's name.
  std::vector<ExpressionPtr> values;
  std::vector<uint32_t> lines;  // Of the tests of a conditional.
  std::vector<Target> targets;
  std::vector<Body> bodies;
  std::vector<std::vector<std::string>> unset;  // Of each body that is a scope, if any: see unset_names.h.
  Signature signature;
  bool recursive = false;
  bool scoped = false;
};

}  // namespace holdfast::jinja
