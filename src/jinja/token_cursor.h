#pragma once

#include <string_view>
#include <vector>

#include "jinja/lexer.h"

namespace holdfast::jinja {

// Where the parser is in the tokens. The last token is `end` or `broken` and is never passed.
class TokenCursor {
 public:
  explicit TokenCursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& now() const { return tokens_[at_]; }
  const Token& after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool is(TokenKind kind) const { return now().kind == kind; }
  bool is_sign(std::string_view sign) const { return is(TokenKind::sign) && now().text == sign; }
  bool is_name(std::string_view name) const { return is(TokenKind::name) && now().text == name; }
  const Token& take() {
    const Token& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool skip_sign(std::string_view sign) {
    if (!is_sign(sign)) return false;
    take();
    return true;
  }
  bool skip_name(std::string_view name) {
    if (!is_name(name)) return false;
    take();
    return true;
  }
  Result<std::string> expect_name();
  Status expect_sign(std::string_view sign);
  Status expect_name(std::string_view name);
  Status expect(TokenKind kind);
  // An error at the current token, or at a line.
  Error error(std::string message) { return error_at(now().line, std::move(message)); }
  Error error_at(uint32_t line, std::string message);
  uint32_t error_line() const { return error_line_; }

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
  uint32_t error_line_ = 1;
};

// "end of statement block", "name", "(": how a message calls a token.
std::string described(const Token& token);

}  // namespace holdfast::jinja
