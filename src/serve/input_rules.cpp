#include "serve/input_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "serve/prompt_check.h"
#include "sql/database.h"

namespace holdfast::serve {
namespace {

constexpr size_t endpoints_max = 100'000, languages_max = 20;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

Status check(const InputRules& rules) {
  if (rules.languages.size() > languages_max) return fail(Reason::bad_request, "'languages' are too many");
  for (const std::string& language : rules.languages)
    if (!is_known_language(language))
      return fail(Reason::bad_request,
                  fmt::format("'languages': '{}' is none that is told apart here", language.substr(0, 20)));
  if (rules.characters_max < 0 || rules.characters_max > 1 << 24)
    return fail(Reason::bad_request, "'characters_max' is from 0 to 16777216");
  return Done{};
}

}  // namespace

std::string_view signs_name(InputRules::Signs signs) {
  switch (signs) {
    case InputRules::Signs::pass:
      return "pass";
    case InputRules::Signs::count:
      return "count";
    case InputRules::Signs::refuse:
      return "refuse";
  }
  return "count";
}

Result<std::unique_ptr<InputRuleBook>> InputRuleBook::open(sql::Database& database, InputRules usual) {
  TRY_DONE(check(usual));
  std::unique_ptr<InputRuleBook> out(new InputRuleBook(database, std::move(usual)));
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    out->rules_.clear();
    return tx.query("SELECT endpoint, signs, languages, characters FROM serve_input_rules ORDER BY endpoint",
                    {}, [&](const sql::Row& row) {
                      InputRules rules{.signs = static_cast<InputRules::Signs>(row.integer(1)),
                                       .languages = split(row.text(2)),
                                       .characters_max = row.integer(3)};
                      out->rules_[row.text(0)] = std::make_shared<const InputRules>(std::move(rules));
                      return out->rules_.size() < endpoints_max;
                    });
  }));
  return out;
}

std::shared_ptr<const InputRules> InputRuleBook::rules_of(const std::string& endpoint) const {
  if (endpoint.empty()) return usual_;
  std::lock_guard lock(mutex_);
  const auto found = rules_.find(endpoint);
  return found == rules_.end() ? usual_ : found->second;
}

Status InputRuleBook::set(const std::string& endpoint, InputRules rules) {
  TRY_DONE(check(rules));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(
        "INSERT INTO serve_input_rules (endpoint, signs, languages, characters) VALUES (?, ?, ?, ?) ON "
        "CONFLICT (endpoint) DO UPDATE SET signs = excluded.signs, languages = excluded.languages, "
        "characters = "
        "excluded.characters",
        {endpoint, static_cast<int64_t>(rules.signs), fmt::format("{}", fmt::join(rules.languages, ",")),
         rules.characters_max}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  rules_[endpoint] = std::make_shared<const InputRules>(std::move(rules));
  return Done{};
}

Status InputRuleBook::forget(const std::string& endpoint) {
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM serve_input_rules WHERE endpoint = ?", {endpoint}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  rules_.erase(endpoint);
  return Done{};
}

}  // namespace holdfast::serve
