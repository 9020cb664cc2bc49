#include <algorithm>

#include "scan/license.h"

namespace holdfast::scan {
namespace {

constexpr size_t expression_bytes_max = 1000;
constexpr size_t alternatives_max = 64;
constexpr int depth_max = 16;

using Sets = std::vector<std::vector<std::string>>;

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : rest_(text) {}

  Result<Sets> whole() {
    TRY(Sets sets, either(0));
    if (!peek().empty()) return wrong();
    return sets;
  }

 private:
  static Error wrong() { return fail(Reason::bad_request, "not a licence expression"); }

  std::string_view peek() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
    if (rest_.empty()) return {};
    if (rest_[0] == '(' || rest_[0] == ')') return rest_.substr(0, 1);
    return rest_.substr(0, std::min(rest_.find_first_of(" \t()"), rest_.size()));
  }
  std::string_view next() {
    const std::string_view word = peek();
    rest_.remove_prefix(word.size());
    return word;
  }
  bool take(std::string_view upper, std::string_view lower) {
    const std::string_view word = peek();
    if (word != upper && word != lower) return false;
    next();
    return true;
  }

  Result<Sets> either(int depth) {
    TRY(Sets sets, both(depth));
    while (take("OR", "or")) {
      TRY(Sets more, both(depth));
      sets.insert(sets.end(), more.begin(), more.end());
      if (sets.size() > alternatives_max) return wrong();
    }
    return sets;
  }
  Result<Sets> both(int depth) {
    TRY(Sets sets, one(depth));
    while (take("AND", "and")) {
      TRY(const Sets more, one(depth));
      Sets product;
      for (const auto& a : sets)
        for (const auto& b : more) {
          product.push_back(a);
          product.back().insert(product.back().end(), b.begin(), b.end());
          if (product.size() > alternatives_max) return wrong();
        }
      sets = std::move(product);
    }
    return sets;
  }
  Result<Sets> one(int depth) {
    if (depth > depth_max) return wrong();
    if (take("(", "(")) {
      TRY(Sets sets, either(depth + 1));
      if (!take(")", ")")) return wrong();
      return sets;
    }
    const std::string_view id = next();
    static constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+:_";
    const auto is_id = [](std::string_view word) {
      return !word.empty() && word.find_first_not_of(allowed) == word.npos;
    };
    if (!is_id(id) || id == "AND" || id == "OR" || id == "WITH") return wrong();
    if (take("WITH", "with") && !is_license_exception(next())) return wrong();
    return Sets{{std::string(id)}};
  }

  std::string_view rest_;
};

}  // namespace

Result<Sets> parse_license_expression(std::string_view text) {
  if (text.size() > expression_bytes_max)
    return fail(Reason::bad_request, "a licence expression is too long");
  return ExpressionParser(text).whole();
}

}  // namespace holdfast::scan
