#include "jinja/expression_parser.h"

#include <algorithm>
#include <array>

#include "jinja/filters.h"
#include "jinja/predicates.h"

namespace holdfast::jinja {
namespace {

constexpr size_t nesting_parse_max = 100;  // Brackets in brackets; each is a dozen calls deep.
constexpr uint32_t tree_depth_max = 400;
constexpr std::array<std::string_view, 6> compare_signs = {"==", "!=", "<", "<=", ">", ">="};

template <class... Parts>
std::vector<ExpressionPtr> parts_of(Parts... parts) {
  std::vector<ExpressionPtr> out;
  (out.push_back(std::move(parts)), ...);
  return out;
}

}  // namespace

Result<ExpressionPtr> ExpressionParser::make(ExpressionKind kind, uint32_t line,
                                             std::vector<ExpressionPtr> parts) {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = line;
  for (const ExpressionPtr& part : parts)
    if (part) node->depth = std::max(node->depth, part->depth + 1);
  if (node->depth > tree_depth_max) return cursor_.error_at(line, "the expression is nested too deeply");
  node->parts = std::move(parts);
  return node;
}

Result<ExpressionPtr> ExpressionParser::expression(Conditional allowed) {
  if (++nesting_ > nesting_parse_max) return cursor_.error("the expression is nested too deeply");
  auto out = allowed == Conditional::allowed ? conditional() : logical_or();
  --nesting_;
  return out;
}

Result<ExpressionPtr> ExpressionParser::conditional() {
  const size_t unknown_before = unknown_.size();
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr node, logical_or());
  bool soft = false;
  while (cursor_.skip_name("if")) {
    soft = true;
    TRY(ExpressionPtr test, logical_or());
    ExpressionPtr otherwise;
    if (cursor_.skip_name("else")) {
      TRY(otherwise, expression());
    }
    TRY(node, make(ExpressionKind::conditional, line,
                   parts_of(std::move(test), std::move(node), std::move(otherwise))));
    line = cursor_.now().line;
  }
  if (soft) unknown_.resize(unknown_before);
  return node;
}

Result<ExpressionPtr> ExpressionParser::logical_or() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr left, logical_and());
  while (cursor_.skip_name("or")) {
    TRY(ExpressionPtr right, logical_and());
    TRY(left, make(ExpressionKind::logical_or, line, parts_of(std::move(left), std::move(right))));
    line = cursor_.now().line;
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::logical_and() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr left, logical_not());
  while (cursor_.skip_name("and")) {
    TRY(ExpressionPtr right, logical_not());
    TRY(left, make(ExpressionKind::logical_and, line, parts_of(std::move(left), std::move(right))));
    line = cursor_.now().line;
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::logical_not() {
  std::vector<uint32_t> lines;  // A row of nots, however long, without recursion.
  while (cursor_.is_name("not")) lines.push_back(cursor_.take().line);
  TRY(ExpressionPtr node, compare());
  for (; !lines.empty(); lines.pop_back()) {
    TRY(node, make(ExpressionKind::logical_not, lines.back(), parts_of(std::move(node))));
  }
  return node;
}

Result<ExpressionPtr> ExpressionParser::compare() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr first, sum());
  std::vector<ExpressionPtr> parts = parts_of(std::move(first));
  std::vector<std::string> operators;
  while (true) {
    const Token& token = cursor_.now();
    if (token.kind == TokenKind::sign &&
        std::find(compare_signs.begin(), compare_signs.end(), token.text) != compare_signs.end()) {
      operators.push_back(cursor_.take().text);
    } else if (cursor_.skip_name("in")) {
      operators.emplace_back("in");
    } else if (cursor_.is_name("not") && cursor_.after().kind == TokenKind::name &&
               cursor_.after().text == "in") {
      cursor_.take();
      cursor_.take();
      operators.emplace_back("not in");
    } else {
      break;
    }
    TRY(ExpressionPtr next, sum());
    parts.push_back(std::move(next));
    line = cursor_.now().line;
  }
  if (operators.empty()) return std::move(parts[0]);
  TRY(ExpressionPtr node, make(ExpressionKind::compare, line, std::move(parts)));
  node->operators = std::move(operators);
  return node;
}

Result<ExpressionPtr> ExpressionParser::sum() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr left, concat());
  while (cursor_.is_sign("+") || cursor_.is_sign("-")) {
    const std::string sign = cursor_.take().text;
    TRY(ExpressionPtr right, concat());
    TRY(left, make(ExpressionKind::binary, line, parts_of(std::move(left), std::move(right))));
    left->name = sign;
    line = cursor_.now().line;
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::concat() {
  const uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr first, product());
  std::vector<ExpressionPtr> parts = parts_of(std::move(first));
  while (cursor_.skip_sign("~")) {
    TRY(ExpressionPtr next, product());
    parts.push_back(std::move(next));
  }
  if (parts.size() == 1) return std::move(parts[0]);
  return make(ExpressionKind::concat, line, std::move(parts));
}

Result<ExpressionPtr> ExpressionParser::product() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr left, power());
  while (cursor_.is_sign("*") || cursor_.is_sign("/") || cursor_.is_sign("//") || cursor_.is_sign("%")) {
    const std::string sign = cursor_.take().text;
    TRY(ExpressionPtr right, power());
    TRY(left, make(ExpressionKind::binary, line, parts_of(std::move(left), std::move(right))));
    left->name = sign;
    line = cursor_.now().line;
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::power() {
  uint32_t line = cursor_.now().line;
  TRY(ExpressionPtr left, unary(true));
  while (cursor_.skip_sign("**")) {
    TRY(ExpressionPtr right, unary(true));
    TRY(left, make(ExpressionKind::binary, line, parts_of(std::move(left), std::move(right))));
    left->name = "**";
    line = cursor_.now().line;
  }
  return left;
}

Result<ExpressionPtr> ExpressionParser::unary(bool with_filters) {
  const uint32_t line = cursor_.now().line;
  ExpressionPtr node;
  if (cursor_.is_sign("-") || cursor_.is_sign("+")) {
    if (++nesting_ > nesting_parse_max) return cursor_.error("the expression is nested too deeply");
    const ExpressionKind kind = cursor_.take().text == "-" ? ExpressionKind::negate : ExpressionKind::plus;
    TRY(ExpressionPtr inner, unary(false));
    --nesting_;
    TRY(node, make(kind, line, parts_of(std::move(inner))));
  } else {
    TRY(node, primary());
  }
  TRY(node, postfix(std::move(node)));
  if (with_filters) return filters_and_tests(std::move(node));
  return node;
}

Result<ExpressionPtr> ExpressionParser::primary() {
  const Token& token = cursor_.now();
  TRY(ExpressionPtr node, make(ExpressionKind::constant, token.line, {}));
  switch (token.kind) {
    case TokenKind::name: {
      const std::string name = cursor_.take().text;
      if (name == "true" || name == "True" || name == "false" || name == "False") {
        node->constant = Value::boolean(name == "true" || name == "True");
      } else if (name != "none" && name != "None") {
        node->kind = ExpressionKind::name;
        node->name = name;
        for (Signature* open : open_macros_) {
          open->uses_caller |= name == "caller";
          open->uses_varargs |= name == "varargs";
          open->uses_kwargs |= name == "kwargs";
        }
      }
      return node;
    }
    case TokenKind::text: {
      std::string text;
      while (cursor_.is(TokenKind::text)) text += cursor_.take().text;
      node->constant = Value::text(std::move(text));
      return node;
    }
    case TokenKind::integer:
    case TokenKind::real:
      node->constant = cursor_.take().number;
      return node;
    case TokenKind::sign:
      if (token.text == "[") return list();
      if (token.text == "{") return dict();
      if (token.text == "(") {
        cursor_.take();
        TRY(node, tuple(Conditional::allowed, true));
        TRY_DONE(cursor_.expect_sign(")"));
        return node;
      }
      break;
    case TokenKind::data:
    case TokenKind::block_begin:
    case TokenKind::block_end:
    case TokenKind::variable_begin:
    case TokenKind::variable_end:
    case TokenKind::end:
    case TokenKind::broken:
      break;
  }
  return cursor_.error("unexpected '" + described(token) + "'");
}

Result<ExpressionPtr> ExpressionParser::tuple(Conditional conditional, bool in_parentheses) {
  const auto at_end = [&] {
    return cursor_.is(TokenKind::variable_end) || cursor_.is(TokenKind::block_end) || cursor_.is_sign(")");
  };
  const uint32_t line = cursor_.now().line;
  std::vector<ExpressionPtr> parts;
  bool is_tuple = false;
  while (true) {
    if (!parts.empty()) TRY_DONE(cursor_.expect_sign(","));
    if (at_end()) break;
    TRY(ExpressionPtr part, expression(conditional));
    parts.push_back(std::move(part));
    if (!cursor_.is_sign(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!parts.empty()) return std::move(parts[0]);
    if (!in_parentheses)
      return cursor_.error("Expected an expression, got '" + described(cursor_.now()) + "'");
  }
  return make(ExpressionKind::tuple, line, std::move(parts));
}

Result<ExpressionPtr> ExpressionParser::list() {
  const uint32_t line = cursor_.take().line;
  std::vector<ExpressionPtr> parts;
  while (!cursor_.is_sign("]")) {
    if (!parts.empty()) TRY_DONE(cursor_.expect_sign(","));
    if (cursor_.is_sign("]")) break;
    TRY(ExpressionPtr part, expression());
    parts.push_back(std::move(part));
  }
  TRY_DONE(cursor_.expect_sign("]"));
  return make(ExpressionKind::list, line, std::move(parts));
}

Result<ExpressionPtr> ExpressionParser::dict() {
  const uint32_t line = cursor_.take().line;
  std::vector<ExpressionPtr> parts;
  while (!cursor_.is_sign("}")) {
    if (!parts.empty()) TRY_DONE(cursor_.expect_sign(","));
    if (cursor_.is_sign("}")) break;
    TRY(ExpressionPtr key, expression());
    TRY_DONE(cursor_.expect_sign(":"));
    TRY(ExpressionPtr value, expression());
    parts.push_back(std::move(key));
    parts.push_back(std::move(value));
  }
  TRY_DONE(cursor_.expect_sign("}"));
  return make(ExpressionKind::dict, line, std::move(parts));
}

Result<ExpressionPtr> ExpressionParser::postfix(ExpressionPtr node) {
  while (true) {
    if (cursor_.is_sign(".") || cursor_.is_sign("[")) {
      TRY(node, subscript(std::move(node)));
    } else if (cursor_.is_sign("(")) {
      TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExpressionPtr> ExpressionParser::filters_and_tests(ExpressionPtr node) {
  while (true) {
    if (cursor_.skip_sign("|")) {
      TRY(node, filter(std::move(node)));
    } else if (cursor_.is_name("is")) {
      TRY(node, test(std::move(node)));
    } else if (cursor_.is_sign("(")) {
      TRY(node, call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExpressionPtr> ExpressionParser::subscript(ExpressionPtr node) {
  const Token token = cursor_.take();
  if (token.text == ".") {
    const Token name = cursor_.take();
    if (name.kind == TokenKind::name) {
      TRY(ExpressionPtr out, make(ExpressionKind::attribute, token.line, parts_of(std::move(node))));
      out->name = name.text;
      return out;
    }
    if (name.kind != TokenKind::integer) return cursor_.error_at(name.line, "expected name or number");
    TRY(ExpressionPtr index, make(ExpressionKind::constant, name.line, {}));
    index->constant = name.number;
    return make(ExpressionKind::item, token.line, parts_of(std::move(node), std::move(index)));
  }
  std::vector<ExpressionPtr> indexes;
  while (!cursor_.is_sign("]")) {
    if (!indexes.empty()) TRY_DONE(cursor_.expect_sign(","));
    TRY(ExpressionPtr index, inside_brackets());
    indexes.push_back(std::move(index));
  }
  TRY_DONE(cursor_.expect_sign("]"));
  ExpressionPtr index;
  if (indexes.size() == 1) {
    index = std::move(indexes[0]);
  } else {
    TRY(index, make(ExpressionKind::tuple, token.line, std::move(indexes)));
  }
  return make(ExpressionKind::item, token.line, parts_of(std::move(node), std::move(index)));
}

Result<ExpressionPtr> ExpressionParser::inside_brackets() {
  const uint32_t line = cursor_.now().line;
  ExpressionPtr start, stop, step;
  if (!cursor_.is_sign(":")) {
    TRY(start, expression());
    if (!cursor_.is_sign(":")) return start;
  }
  cursor_.take();
  const auto ends = [&] { return cursor_.is_sign("]") || cursor_.is_sign(","); };
  if (!cursor_.is_sign(":") && !ends()) {
    TRY(stop, expression());
  }
  if (cursor_.skip_sign(":") && !ends()) {
    TRY(step, expression());
  }
  return make(ExpressionKind::slice, line, parts_of(std::move(start), std::move(stop), std::move(step)));
}

Status ExpressionParser::argument(CallArguments& out, uint32_t line) {
  const auto misplaced = [&] {
    return cursor_.error_at(line, "invalid syntax for function call expression");
  };
  if (cursor_.is_sign("*")) {
    if (out.rest || out.named_rest) return misplaced();
    cursor_.take();
    TRY(out.rest, expression());
  } else if (cursor_.is_sign("**")) {
    if (out.named_rest) return misplaced();
    cursor_.take();
    TRY(out.named_rest, expression());
  } else if (cursor_.is(TokenKind::name) && cursor_.after().kind == TokenKind::sign &&
             cursor_.after().text == "=") {
    if (out.named_rest) return misplaced();
    std::string name = cursor_.take().text;
    cursor_.take();
    TRY(ExpressionPtr value, expression());
    out.named.emplace_back(std::move(name), std::move(value));
  } else {
    if (out.rest || out.named_rest || !out.named.empty()) return misplaced();
    TRY(ExpressionPtr value, expression());
    out.positional.push_back(std::move(value));
  }
  return Done{};
}

Result<CallArguments> ExpressionParser::arguments() {
  const uint32_t line = cursor_.now().line;
  TRY_DONE(cursor_.expect_sign("("));
  CallArguments out;
  for (bool first = true; !cursor_.is_sign(")"); first = false) {
    if (!first) {
      TRY_DONE(cursor_.expect_sign(","));
      if (cursor_.is_sign(")")) break;
    }
    TRY_DONE(argument(out, line));
  }
  TRY_DONE(cursor_.expect_sign(")"));
  return out;
}

// Gives a call, filter or test its arguments, whose depth counts too.
Result<ExpressionPtr> ExpressionParser::with_arguments(ExpressionPtr node, CallArguments given) {
  const auto count = [&node](const ExpressionPtr& part) {
    if (part) node->depth = std::max(node->depth, part->depth + 1);
  };
  for (const ExpressionPtr& part : given.positional) count(part);
  for (const auto& [name, part] : given.named) count(part);
  count(given.rest);
  count(given.named_rest);
  if (node->depth > tree_depth_max)
    return cursor_.error_at(node->line, "the expression is nested too deeply");
  node->arguments = std::move(given);
  return node;
}

Result<ExpressionPtr> ExpressionParser::call(ExpressionPtr node) {
  const uint32_t line = cursor_.now().line;
  TRY(CallArguments given, arguments());
  TRY(ExpressionPtr out, make(ExpressionKind::call, line, parts_of(std::move(node))));
  return with_arguments(std::move(out), std::move(given));
}

Result<std::string> ExpressionParser::dotted_name() {
  TRY(std::string name, cursor_.expect_name());
  while (cursor_.skip_sign(".")) {
    TRY(const std::string more, cursor_.expect_name());
    name += "." + more;
  }
  return name;
}

Result<ExpressionPtr> ExpressionParser::filter(ExpressionPtr node) {
  const uint32_t line = cursor_.now().line;
  TRY(std::string name, dotted_name());
  CallArguments given;
  if (cursor_.is_sign("(")) {
    TRY(given, arguments());
  }
  if (find_filter(name) == nullptr) unknown_.push_back({line, "No filter named '" + name + "'."});
  TRY(ExpressionPtr out, make(ExpressionKind::filter, line, parts_of(std::move(node))));
  out->name = std::move(name);
  return with_arguments(std::move(out), std::move(given));
}

Result<ExpressionPtr> ExpressionParser::filter_chain() {
  TRY(ExpressionPtr node, filter(nullptr));
  while (cursor_.skip_sign("|")) {
    TRY(node, filter(std::move(node)));
  }
  return node;
}

Result<ExpressionPtr> ExpressionParser::test(ExpressionPtr node) {
  const uint32_t line = cursor_.take().line;
  const bool negated = cursor_.skip_name("not");
  TRY(std::string name, dotted_name());
  CallArguments given;
  const Token& token = cursor_.now();
  const bool sign_starts = token.kind == TokenKind::sign && (token.text == "[" || token.text == "{");
  const bool name_starts =
      token.kind == TokenKind::name && token.text != "else" && token.text != "or" && token.text != "and";
  if (cursor_.is_sign("(")) {
    TRY(given, arguments());
  } else if (sign_starts || name_starts || token.kind == TokenKind::text ||
             token.kind == TokenKind::integer || token.kind == TokenKind::real) {
    if (cursor_.is_name("is")) return cursor_.error("You cannot chain multiple tests with is");
    if (++nesting_ > nesting_parse_max) return cursor_.error("the expression is nested too deeply");
    TRY(ExpressionPtr argument_node, primary());
    TRY(argument_node, postfix(std::move(argument_node)));
    --nesting_;
    given.positional.push_back(std::move(argument_node));
  }
  if (find_predicate(name) == nullptr) unknown_.push_back({line, "No test named '" + name + "'."});
  TRY(ExpressionPtr out, make(ExpressionKind::test, line, parts_of(std::move(node))));
  out->name = std::move(name);
  TRY(out, with_arguments(std::move(out), std::move(given)));
  if (!negated) return out;
  return make(ExpressionKind::logical_not, line, parts_of(std::move(out)));
}

}  // namespace holdfast::jinja
