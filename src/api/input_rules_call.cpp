#include "api/input_rules_call.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/input_texts.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "base/log.h"
#include "codec/json.h"
#include "identity/permission.h"
#include "serve/callers.h"
#include "serve/guards.h"
#include "serve/input_rules.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::InputRules;
using serve::Oddity;

constexpr size_t looked_at_bytes_max = 4 << 20;

void note_odd(const Services& services, const Call& call, Oddity oddity) {
  call.served->odd = true;
  if (services.guards->callers != nullptr) services.guards->callers->was_odd(asker_of(call).key, oddity);
}

bool writes(const Call& call) {
  const std::string_view path = call.request.path();
  for (const std::string_view end :
       {"/completions", "/responses", "/generate", "/generate_stream", "/completion"})
    if (path.ends_with(end)) return true;
  return false;
}

// Characters, not bytes.
int64_t length_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; });
}

Status check_language(const Services& services, const Call& call, const InputRules& rules,
                      std::string_view text) {
  if (rules.languages.empty()) return Done{};
  const std::string_view language = serve::language_of(text);
  if (language.empty() ||
      std::find(rules.languages.begin(), rules.languages.end(), language) != rules.languages.end())
    return Done{};
  note_odd(services, call, Oddity::language);
  return fail(Reason::bad_request, fmt::format("the input is in the language '{}': this endpoint takes {}",
                                               language, fmt::join(rules.languages, ", ")));
}

Status check_sign(const Services& services, const Call& call, const InputRules& rules, std::string_view text,
                  serve::TextPlace place) {
  const auto sign = serve::find_sign(text, place);
  if (!sign) return Done{};
  note_odd(services, call, Oddity::sign);
  const std::string_view name = serve::sign_name(*sign);
  services.log.info("input_flagged", {{"sign", name},
                                      {"endpoint_rules", serve::signs_name(rules.signs)},
                                      {"trace_id", call.context.trace_id}});
  if (rules.signs != InputRules::Signs::refuse) return Done{};
  return fail(
      Reason::policy_refused,
      fmt::format("the input has the sign '{}' of an instruction to the model: it is not taken here", name));
}

}  // namespace

Status check_input_rules(const Services& services, const Call& call) {
  if (services.guards == nullptr || services.guards->input_rules == nullptr || !call.served) return Done{};
  const auto rules = services.guards->input_rules->rules_of(call.served->endpoint);
  const bool signs =
      rules->signs == InputRules::Signs::refuse || (rules->signs == InputRules::Signs::count && writes(call));
  if (!signs && rules->languages.empty() && rules->characters_max == 0) return Done{};
  if (call.request.body.size() > looked_at_bytes_max) {
    if (rules->characters_max == 0) return Done{};
    return fail(Reason::input_too_long, "the input is too long for this endpoint");
  }
  const auto body = codec::parse_json_object(call.request.body);
  if (!body.ok()) return Done{};  // Is refused with what is wrong with it.
  for (const auto& [text, place] : input_texts(body.value())) {
    if (rules->characters_max > 0 && length_of(text) > rules->characters_max) {
      note_odd(services, call, Oddity::size);
      return fail(Reason::input_too_long,
                  fmt::format("a text has more than the {} characters that this endpoint takes",
                              rules->characters_max));
    }
    if (signs) TRY_DONE(check_sign(services, call, *rules, text, place));
    TRY_DONE(check_language(services, call, *rules, text));
  }
  return Done{};
}

namespace {

std::string endpoint_in_path(const Call& call) {
  return fmt::format("{}/{}", call.capture("ns"), call.capture("name"));
}

Result<serve::InputRuleBook*> book_of(const Services& services, const Call& call) {
  if (services.guards == nullptr || services.guards->input_rules == nullptr)
    return fail(Reason::not_offered, "this server keeps no checks of inputs");
  const identity::Resource resource{
      .kind = identity::EntityKind::endpoint, .ns = call.capture("ns"), .name = call.capture("name")};
  if (!services.permission.may(call.caller, identity::Right::admin, resource))
    return fail(Reason::forbidden, "the checks of an endpoint are its namespace's administrators'");
  return services.guards->input_rules;
}

Result<Response> show(Services& services, const Call& call) {
  TRY(serve::InputRuleBook * book, book_of(services, call));
  const auto rules = book->rules_of(endpoint_in_path(call));
  json::array languages;
  for (const std::string& language : rules->languages) languages.emplace_back(language);
  return json_answer(json::object{{"endpoint", endpoint_in_path(call)},
                                  {"signs", serve::signs_name(rules->signs)},
                                  {"languages", std::move(languages)},
                                  {"characters_max", rules->characters_max}});
}

Result<Response> set(Services& services, const Call& call) {
  TRY(serve::InputRuleBook * book, book_of(services, call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  InputRules rules = *book->rules_of(endpoint_in_path(call));
  TRY(const auto signs, codec::json_text_if(body, "signs"));
  if (signs && *signs != "pass" && *signs != "count" && *signs != "refuse")
    return fail(Reason::bad_request, "'signs' is pass, count or refuse");
  if (signs)
    rules.signs = *signs == "pass"    ? InputRules::Signs::pass
                  : *signs == "count" ? InputRules::Signs::count
                                      : InputRules::Signs::refuse;
  TRY(const json::array* languages, codec::json_array_if(body, "languages"));
  if (languages != nullptr) {
    rules.languages.clear();
    for (const json::value& language : *languages) {
      if (!language.is_string()) return fail(Reason::bad_request, "'languages' are codes as \"en\"");
      rules.languages.emplace_back(language.get_string());
    }
  }
  TRY(const auto most, codec::json_integer_if(body, "characters_max"));
  if (most) rules.characters_max = *most;
  TRY_DONE(book->set(endpoint_in_path(call), std::move(rules)));
  return show(services, call);
}

}  // namespace

void add_input_rule_routes(RouteTable& table, Services& services) {
  constexpr uint64_t body_bytes_max = 64 << 10;
  table.add("GET", "/api/endpoints/{ns}/{name}/checks", "endpoint_checks", Access::signed_in, 0, services,
            show);
  table.add("PUT", "/api/endpoints/{ns}/{name}/checks", "endpoint_checks_set", Access::signed_in_write,
            body_bytes_max, services, set);
}

}  // namespace holdfast::api
