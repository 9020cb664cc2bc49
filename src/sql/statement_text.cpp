#include "sql/statement_text.h"

#include <algorithm>

namespace holdfast::sql {
namespace {

// Where the literal, quoted name or comment that starts at `at` ends; `at` itself when none starts there.
size_t skip_quoted(std::string_view sql, size_t at) {
  const char first = sql[at];
  if (first == '\'' || first == '"') {
    // A doubled quote closes and opens again, which comes to the same.
    const size_t end = sql.find(first, at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
  if (sql.substr(at, 2) == "/*") {
    const size_t end = sql.find("*/", at + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return at;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

std::string numbered_parameters(std::string_view sql) {
  std::string out;
  out.reserve(sql.size() + 16);
  int number = 0;
  for (size_t at = 0; at < sql.size();) {
    if (const size_t end = skip_quoted(sql, at); end > at) {
      out += sql.substr(at, end - at);
      at = end;
      continue;
    }
    if (sql[at] == '?') {
      out += '$';
      out += std::to_string(++number);
    } else {
      out += sql[at];
    }
    ++at;
  }
  return out;
}

std::string engine_spelling(Engine engine, std::string_view sql) {
  std::string out(sql);
  const bool sqlite = engine == Engine::sqlite;
  replace_all(out, "{blob}", sqlite ? "BLOB" : "BYTEA");
  replace_all(out, "{serial}", sqlite ? "INTEGER PRIMARY KEY AUTOINCREMENT" : "BIGSERIAL PRIMARY KEY");
  return out;
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  while (!sql.empty()) {
    size_t end = sql.find(";\n");
    end = end == std::string_view::npos ? sql.size() : end + 2;
    std::string_view piece = sql.substr(0, end);
    sql.remove_prefix(end);
    piece = piece.substr(0, piece.find_last_not_of("; \t\r\n") + 1);
    if (!is_blank(piece)) statements.emplace_back(piece);
  }
  return statements;
}

}  // namespace holdfast::sql
