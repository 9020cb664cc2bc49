#include "jinja/parser.h"

#include <algorithm>
#include <unordered_set>

#include "jinja/characters.h"
#include "jinja/expression_parser.h"

namespace holdfast::jinja {
namespace {

constexpr size_t statements_deep_max = 60;
using Names = std::vector<std::string_view>;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : cursor_(std::move(tokens)), expressions_(cursor_) {}

  uint32_t error_line() const { return cursor_.error_line(); }

  Result<Body> run() {
    TRY(Body body, statements({}));
    if (!cursor_.is(TokenKind::end)) return cursor_.error("internal parsing error");
    if (!expressions_.unknown().empty()) {
      const UnknownName& first = expressions_.unknown().front();
      return cursor_.error_at(first.line, first.message);
    }
    return body;
  }

 private:
  static std::unique_ptr<Statement> make(StatementKind kind, uint32_t line) {
    auto out = std::make_unique<Statement>();
    out->kind = kind;
    out->line = line;
    return out;
  }

  // Statements up to a tag named in `ends`, whose name is the current token then; to the end of the template
  // when there is none.
  Result<Body> statements(const Names& ends) {
    if (open_.size() > statements_deep_max) return cursor_.error("blocks are nested too deeply");
    Body body;
    while (true) {
      switch (cursor_.now().kind) {
        case TokenKind::data: {
          body.push_back(make(StatementKind::data, cursor_.now().line));
          body.back()->text = cursor_.take().text;
          break;
        }
        case TokenKind::variable_begin: {
          body.push_back(make(StatementKind::output, cursor_.take().line));
          TRY(ExpressionPtr value, expressions_.tuple());
          body.back()->line = value->line;
          body.back()->values.push_back(std::move(value));
          TRY_DONE(cursor_.expect(TokenKind::variable_end));
          break;
        }
        case TokenKind::block_begin: {
          cursor_.take();
          if (cursor_.is(TokenKind::name) &&
              std::find(ends.begin(), ends.end(), cursor_.now().text) != ends.end())
            return body;
          TRY(std::unique_ptr<Statement> next, statement());
          body.push_back(std::move(next));
          TRY_DONE(cursor_.expect(TokenKind::block_end));
          break;
        }
        case TokenKind::end:
          if (!ends.empty()) return missing_end({}, ends);
          return body;
        case TokenKind::block_end:
        case TokenKind::variable_end:
        case TokenKind::name:
        case TokenKind::text:
        case TokenKind::integer:
        case TokenKind::real:
        case TokenKind::sign:
        case TokenKind::broken:
          return cursor_.error("unexpected '" + described(cursor_.now()) + "'");
      }
    }
  }

  Error missing_end(const std::string& tag, const Names& ends) {
    std::string message =
        tag.empty() ? "Unexpected end of template." : "Encountered unknown tag '" + tag + "'.";
    for (size_t i = 0; i < ends.size(); ++i)
      message +=
          (i == 0 ? " Jinja was looking for the following tags: '" : " or '") + std::string(ends[i]) + "'";
    if (!ends.empty()) message += ".";
    if (!open_.empty()) message += " The innermost block that needs to be closed is '" + open_.back() + "'.";
    return cursor_.error(std::move(message));
  }

  // The body of the tag whose head was just read, up to one of `ends`.
  Result<Body> body_until(const Names& ends) {
    cursor_.skip_sign(":");
    TRY_DONE(cursor_.expect(TokenKind::block_end));
    ends_.push_back(ends);
    auto body = statements(ends);
    ends_.pop_back();
    return body;
  }
  Result<Body> whole_body(std::string_view end) {
    TRY(Body body, body_until({end}));
    cursor_.take();
    return body;
  }

  // Names unknown inside a body of its own scope fail always, even under an `if`.
  template <class Parse>
  auto hard(Parse&& parse) -> decltype(parse()) {
    const size_t before = expressions_.unknown().size();
    auto out = parse();
    for (size_t i = before; i < expressions_.unknown().size(); ++i) expressions_.unknown()[i].always = true;
    return out;
  }

  Result<std::unique_ptr<Statement>> statement() {
    if (!cursor_.is(TokenKind::name)) return cursor_.error("tag name expected");
    const std::string tag = cursor_.now().text;
    open_.push_back(tag);
    auto out = named_statement(tag);
    if (out.ok()) open_.pop_back();
    return out;
  }

  Result<std::unique_ptr<Statement>> named_statement(const std::string& tag) {
    if (tag == "if") return conditional();
    if (tag == "for") return hard([&] { return loop(); });
    if (tag == "set") return assign();
    if (tag == "macro") return hard([&] { return macro(); });
    if (tag == "call") return hard([&] { return call_block(); });
    if (tag == "filter") return hard([&] { return filter_block(); });
    if (tag == "with") return hard([&] { return scope(); });
    if (tag == "generation") return hard([&] { return generation(); });
    if (tag == "print") return print();
    if (tag == "break" || tag == "continue") return loop_control(tag);
    if (tag == "block") return hard([&] { return block(); });
    if (tag == "include" || tag == "import" || tag == "extends" || tag == "from" || tag == "autoescape")
      return unsupported(tag);
    open_.pop_back();
    return missing_end(tag, ends_.empty() ? Names{} : ends_.back());
  }

  Result<std::unique_ptr<Statement>> conditional() {
    const size_t before = expressions_.unknown().size();
    auto out = make(StatementKind::conditional, cursor_.take().line);
    out->lines.push_back(out->line);
    while (true) {
      TRY(ExpressionPtr test, expressions_.tuple(Conditional::not_here));
      TRY(Body body, body_until({"elif", "else", "endif"}));
      out->values.push_back(std::move(test));
      out->bodies.push_back(std::move(body));
      const std::string next = cursor_.take().text;
      if (next == "elif") {
        out->lines.push_back(cursor_.now().line);
        continue;
      }
      if (next == "else") {
        TRY(Body otherwise, whole_body("endif"));
        out->bodies.push_back(std::move(otherwise));
      }
      break;
    }
    auto& unknown = expressions_.unknown();
    unknown.erase(std::remove_if(unknown.begin() + static_cast<std::ptrdiff_t>(before), unknown.end(),
                                 [](const UnknownName& name) { return !name.always; }),
                  unknown.end());
    return out;
  }

  Result<std::unique_ptr<Statement>> loop() {
    auto out = make(StatementKind::loop, cursor_.take().line);
    TRY(Target target, targets());
    out->targets.push_back(std::move(target));
    TRY_DONE(cursor_.expect_name("in"));
    TRY(ExpressionPtr iterable, expressions_.tuple(Conditional::not_here));
    out->values.push_back(std::move(iterable));
    ExpressionPtr filter;
    if (cursor_.skip_name("if")) {
      TRY(filter, expressions_.expression());
    }
    out->values.push_back(std::move(filter));
    out->recursive = cursor_.skip_name("recursive");
    ++loops_;
    auto body = body_until({"endfor", "else"});
    --loops_;
    if (!body.ok()) return std::move(body).error();
    out->bodies.push_back(std::move(body).value());
    out->bodies.emplace_back();
    if (cursor_.take().text == "else") {
      // A recursive loop is a function of its own, which no loop is around.
      const size_t loops = out->recursive ? std::exchange(loops_, 0) : loops_;
      auto otherwise = whole_body("endfor");
      loops_ = loops;
      TRY(out->bodies[1], std::move(otherwise));
    }
    return out;
  }

  // One name, one attribute of a namespace, or a tuple of them.
  Result<Target> targets() {
    const uint32_t line = cursor_.now().line;
    Target all;
    all.line = line;
    while (true) {
      if (!all.several.empty()) TRY_DONE(cursor_.expect_sign(","));
      // Neither `in` nor `=` ends a tuple, as jinja2 looks for them in vain.
      const bool ends = cursor_.is(TokenKind::block_end) || cursor_.is_sign(")");
      if (ends && !all.several.empty()) break;
      TRY(Target one, target());
      all.several.push_back(std::move(one));
      if (!cursor_.is_sign(",")) break;
      all.is_several = true;
    }
    if (all.is_several) return all;
    return std::move(all.several[0]);
  }

  Result<Target> target() {
    Target out;
    out.line = cursor_.now().line;
    if (cursor_.skip_sign("(")) {
      if (++target_depth_ > 20) return cursor_.error("targets are nested too deeply");
      TRY(out, targets());
      --target_depth_;
      TRY_DONE(cursor_.expect_sign(")"));
      return out;
    }
    if (cursor_.is(TokenKind::text) || cursor_.is(TokenKind::integer) || cursor_.is(TokenKind::real))
      return cursor_.error("can't assign to 'const'");
    if (!cursor_.is(TokenKind::name)) return cursor_.error("unexpected '" + described(cursor_.now()) + "'");
    out.name = cursor_.take().text;
    for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"})
      if (out.name == constant) return cursor_.error_at(out.line, "can't assign to 'const'");
    if (cursor_.skip_sign(".")) {
      TRY(out.attribute, cursor_.expect_name());
    }
    return out;
  }

  Result<std::unique_ptr<Statement>> assign() {
    auto out = make(StatementKind::assign, cursor_.take().line);
    TRY(Target to, targets());
    out->targets.push_back(std::move(to));
    if (cursor_.skip_sign("=")) {
      TRY(ExpressionPtr value, expressions_.tuple());
      out->values.push_back(std::move(value));
      return out;
    }
    out->kind = StatementKind::assign_block;
    ExpressionPtr filters;
    if (cursor_.skip_sign("|")) {
      TRY(filters, expressions_.filter_chain());
    }
    out->values.push_back(std::move(filters));
    TRY(Body body, hard([&] { return whole_body("endset"); }));
    out->bodies.push_back(std::move(body));
    return out;
  }

  Status signature(Signature& out) {
    TRY_DONE(cursor_.expect_sign("("));
    while (!cursor_.is_sign(")")) {
      if (!out.names.empty()) TRY_DONE(cursor_.expect_sign(","));
      TRY(std::string name, cursor_.expect_name());
      if (cursor_.skip_sign("=")) {
        TRY(ExpressionPtr value, expressions_.expression());
        out.defaults.push_back(std::move(value));
      } else if (!out.defaults.empty()) {
        return cursor_.error("non-default argument follows default argument");
      }
      if (std::find(out.names.begin(), out.names.end(), name) != out.names.end())
        return cursor_.error("duplicate argument '" + name + "' in function definition");
      out.names.push_back(std::move(name));
    }
    return cursor_.expect_sign(")");
  }

  // A body that runs when called: what it uses of a call's surroundings is noted in the signature.
  Status callable_body(Statement& out, std::string_view end) {
    const size_t loops = std::exchange(loops_, 0);
    expressions_.open_macros().push_back(&out.signature);
    auto body = whole_body(end);
    expressions_.open_macros().pop_back();
    loops_ = loops;
    if (!body.ok()) return std::move(body).error();
    out.bodies.push_back(std::move(body).value());
    return Done{};
  }

  Result<std::unique_ptr<Statement>> macro() {
    auto out = make(StatementKind::macro, cursor_.take().line);
    TRY(out->text, cursor_.expect_name());
    TRY_DONE(signature(out->signature));
    TRY_DONE(callable_body(*out, "endmacro"));
    return out;
  }

  Result<std::unique_ptr<Statement>> call_block() {
    auto out = make(StatementKind::call_block, cursor_.take().line);
    if (cursor_.is_sign("(")) TRY_DONE(signature(out->signature));
    TRY(ExpressionPtr call, expressions_.expression());
    if (call->kind != ExpressionKind::call) return cursor_.error_at(out->line, "expected call");
    out->values.push_back(std::move(call));
    TRY_DONE(callable_body(*out, "endcall"));
    return out;
  }

  Result<std::unique_ptr<Statement>> filter_block() {
    auto out = make(StatementKind::filter_block, cursor_.take().line);
    TRY(ExpressionPtr filters, expressions_.filter_chain());
    out->values.push_back(std::move(filters));
    TRY(Body body, whole_body("endfilter"));
    out->bodies.push_back(std::move(body));
    return out;
  }

  Result<std::unique_ptr<Statement>> generation() {
    auto out = make(StatementKind::generation, cursor_.take().line);
    TRY_DONE(callable_body(*out, "endgeneration"));
    return out;
  }

  Result<std::unique_ptr<Statement>> scope() {
    auto out = make(StatementKind::scope, cursor_.take().line);
    while (!cursor_.is(TokenKind::block_end)) {
      if (!out->targets.empty()) TRY_DONE(cursor_.expect_sign(","));
      TRY(Target to, targets());
      TRY_DONE(cursor_.expect_sign("="));
      TRY(ExpressionPtr value, expressions_.expression());
      out->targets.push_back(std::move(to));
      out->values.push_back(std::move(value));
    }
    TRY(Body body, whole_body("endwith"));
    out->bodies.push_back(std::move(body));
    return out;
  }

  // Without inheritance a block is its own body, compiled as a function of its own.
  Result<std::unique_ptr<Statement>> block() {
    auto out = make(StatementKind::block, cursor_.take().line);
    TRY(const std::string name, cursor_.expect_name());
    out->scoped = cursor_.skip_name("scoped");
    const bool required = cursor_.skip_name("required");
    const size_t loops = std::exchange(loops_, 0);
    auto body = whole_body("endblock");
    loops_ = loops;
    if (!body.ok()) return std::move(body).error();
    const auto is_space = [](const auto& one) {
      return one->kind == StatementKind::data && stripped(one->text, Ends::both).empty();
    };
    if (required && !std::all_of(body.value().begin(), body.value().end(), is_space))
      return cursor_.error("Required blocks can only contain comments or whitespace");
    if (required) {  // Nobody can fill it here.
      out->kind = StatementKind::unsupported;
      out->text = "Required block '" + name + "' not found";
    }
    out->bodies.push_back(std::move(body).value());
    if (!blocks_.insert(name).second)
      return cursor_.error_at(out->line, "block '" + name + "' defined twice");
    cursor_.skip_name(name);
    return out;
  }

  Result<std::unique_ptr<Statement>> print() {
    auto out = make(StatementKind::output, cursor_.take().line);
    while (!cursor_.is(TokenKind::block_end)) {
      if (!out->values.empty()) TRY_DONE(cursor_.expect_sign(","));
      TRY(ExpressionPtr value, expressions_.expression());
      out->values.push_back(std::move(value));
    }
    return out;
  }

  Result<std::unique_ptr<Statement>> loop_control(const std::string& tag) {
    auto out =
        make(tag == "break" ? StatementKind::leave_loop : StatementKind::next_round, cursor_.take().line);
    if (loops_ == 0) return cursor_.error_at(out->line, "'" + tag + "' outside loop");
    return out;
  }

  // Other templates cannot be reached from a chat template: these tags fail when reached.
  Result<std::unique_ptr<Statement>> unsupported(const std::string& tag) {
    auto out = make(StatementKind::unsupported, cursor_.take().line);
    out->text = tag == "autoescape"
                    ? "'autoescape' is not supported"
                    : "'" + tag + "' is not supported: no loader for this environment specified";
    if (tag == "autoescape") return cursor_.error_at(out->line, out->text);
    while (!cursor_.is(TokenKind::block_end) && !cursor_.is(TokenKind::end) && !cursor_.is(TokenKind::broken))
      cursor_.take();
    return out;
  }

  TokenCursor cursor_;
  ExpressionParser expressions_;
  std::vector<std::string> open_;  // Tags whose end is still to come.
  std::vector<Names> ends_;
  std::unordered_set<std::string> blocks_;
  size_t loops_ = 0;
  size_t target_depth_ = 0;
};

}  // namespace

Result<Body> parse_template(std::string_view source, uint32_t& error_line) {
  Parser parser(split_template(source));
  auto body = parser.run();
  if (!body.ok()) error_line = parser.error_line();
  return body;
}

}  // namespace holdfast::jinja
