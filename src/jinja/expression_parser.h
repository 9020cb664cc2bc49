#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/token_cursor.h"
#include "jinja/tree.h"

namespace holdfast::jinja {

enum class Conditional : uint8_t { allowed, not_here };

// The names of filters or tests that the template uses and nobody knows. Under an `if` they fail only when
// reached, elsewhere the template is refused, as jinja2 does.
struct UnknownName {
  uint32_t line = 1;
  std::string message;
  bool always = false;
};

// Expressions by precedence climbing, one function a level, as jinja2's grammar has them.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenCursor& cursor) : cursor_(cursor) {}

  Result<ExpressionPtr> expression(Conditional conditional = Conditional::allowed);
  // One expression or, where commas stand, a tuple.
  Result<ExpressionPtr> tuple(Conditional conditional = Conditional::allowed, bool in_parentheses = false);
  // The filters of `{% filter a|b %}` and `{% set x | a %}`: the innermost one has no part.
  Result<ExpressionPtr> filter_chain();

  std::vector<UnknownName>& unknown() { return unknown_; }
  // Macros being parsed: names they use that a call has to bring.
  std::vector<Signature*>& open_macros() { return open_macros_; }

 private:
  Result<ExpressionPtr> make(ExpressionKind kind, uint32_t line, std::vector<ExpressionPtr> parts);
  Result<ExpressionPtr> conditional();
  Result<ExpressionPtr> logical_or();
  Result<ExpressionPtr> logical_and();
  Result<ExpressionPtr> logical_not();
  Result<ExpressionPtr> compare();
  Result<ExpressionPtr> sum();
  Result<ExpressionPtr> concat();
  Result<ExpressionPtr> product();
  Result<ExpressionPtr> power();
  Result<ExpressionPtr> unary(bool with_filters);
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> list();
  Result<ExpressionPtr> dict();
  Result<ExpressionPtr> postfix(ExpressionPtr node);
  Result<ExpressionPtr> filters_and_tests(ExpressionPtr node);
  Result<ExpressionPtr> subscript(ExpressionPtr node);
  Result<ExpressionPtr> inside_brackets();
  Result<ExpressionPtr> call(ExpressionPtr node);
  Result<ExpressionPtr> filter(ExpressionPtr node);
  Result<ExpressionPtr> test(ExpressionPtr node);
  Result<CallArguments> arguments();
  Status argument(CallArguments& out, uint32_t line);
  Result<ExpressionPtr> with_arguments(ExpressionPtr node, CallArguments given);
  Result<std::string> dotted_name();

  TokenCursor& cursor_;
  size_t nesting_ = 0;
  std::vector<UnknownName> unknown_;
  std::vector<Signature*> open_macros_;
};

}  // namespace holdfast::jinja
