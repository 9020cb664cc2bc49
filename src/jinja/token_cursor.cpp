#include "jinja/token_cursor.h"

#include <algorithm>

namespace holdfast::jinja {
namespace {

std::string kind_name(TokenKind kind) {
  switch (kind) {
    case TokenKind::data:
      return "template data / text";
    case TokenKind::block_begin:
      return "begin of statement block";
    case TokenKind::block_end:
      return "end of statement block";
    case TokenKind::variable_begin:
      return "begin of print statement";
    case TokenKind::variable_end:
      return "end of print statement";
    case TokenKind::name:
      return "name";
    case TokenKind::text:
      return "string";
    case TokenKind::integer:
      return "integer";
    case TokenKind::real:
      return "float";
    case TokenKind::sign:
      return "sign";
    case TokenKind::end:
      return "end of template";
    case TokenKind::broken:
      return "broken token";
  }
  return "token";
}

}  // namespace

std::string described(const Token& token) {
  return token.kind == TokenKind::name || token.kind == TokenKind::sign ? token.text : kind_name(token.kind);
}

Error TokenCursor::error_at(uint32_t line, std::string message) {
  if (is(TokenKind::broken)) {  // Reading it failed before whatever is wrong with those before it was seen.
    error_line_ = now().line;
    return fail(Reason::bad_request, now().text);
  }
  error_line_ = line;
  return fail(Reason::bad_request, std::move(message));
}

Status TokenCursor::expect(TokenKind kind) {
  if (is(TokenKind::end)) return error("unexpected end of template, expected '" + kind_name(kind) + "'.");
  if (!is(kind)) return error("expected token '" + kind_name(kind) + "', got '" + described(now()) + "'");
  take();
  return Done{};
}

Result<std::string> TokenCursor::expect_name() {
  const std::string name = now().text;
  TRY_DONE(expect(TokenKind::name));
  return name;
}

Status TokenCursor::expect_name(std::string_view name) {
  if (!skip_name(name))
    return error("expected token '" + std::string(name) + "', got '" + described(now()) + "'");
  return Done{};
}

Status TokenCursor::expect_sign(std::string_view sign) {
  if (is(TokenKind::end)) return error("unexpected end of template, expected '" + std::string(sign) + "'.");
  if (!skip_sign(sign))
    return error("expected token '" + std::string(sign) + "', got '" + described(now()) + "'");
  return Done{};
}

}  // namespace holdfast::jinja
