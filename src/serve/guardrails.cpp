#include "serve/guardrails.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "serve/prompt_check.h"
#include "sql/database.h"

namespace holdfast::serve {
namespace {

namespace json = boost::json;

constexpr size_t endpoints_max = 100'000, list_max = 200, word_bytes_max = 200;
constexpr int64_t timeout_ms_most = 60'000;
constexpr std::string_view known[] = {"place", "words",     "secrets", "endpoint", "ask",       "labels",
                                      "allow", "threshold", "then",    "failing",  "timeout_ms"};
constexpr std::string_view ask_names[] = {"labels", "moderations", "chat"};

Status read_list(const json::object& object, const char* key, std::vector<std::string>& into) {
  TRY(const json::array* list, codec::json_array_if(object, key));
  if (list == nullptr) return Done{};
  if (list->size() > list_max)
    return fail(Reason::bad_request, fmt::format("'{}' has at most {}", key, list_max));
  for (const json::value& one : *list) {
    if (!one.is_string() || one.get_string().empty() || one.get_string().size() > word_bytes_max)
      return fail(Reason::bad_request, fmt::format("'{}' is a list of short texts", key));
    into.emplace_back(one.get_string());
  }
  return Done{};
}

// One of two words; the first where nothing is said.
Result<bool> is_second(const json::object& object, const char* key, std::string_view first,
                       std::string_view second) {
  TRY(const auto said, codec::json_text_if(object, key));
  if (!said || *said == first) return false;
  if (*said == second) return true;
  return fail(Reason::bad_request, fmt::format("'{}' is {} or {}", key, first, second));
}

Status check(const GuardStage& stage) {
  const int kinds =
      (stage.words.empty() ? 0 : 1) + (stage.secrets ? 1 : 0) + (stage.endpoint.empty() ? 0 : 1);
  if (kinds != 1)
    return fail(Reason::bad_request, "a guardrail has one of 'words', 'secrets' and 'endpoint'");
  if (stage.endpoint.empty()) return Done{};
  if (stage.endpoint.find('/') == std::string::npos)
    return fail(Reason::bad_request, "'endpoint' is \"namespace/name\"");
  if (!stage.labels.empty() && !stage.allow.empty())
    return fail(Reason::bad_request, "'labels' or 'allow', not both");
  if (stage.ask == GuardStage::Ask::labels && stage.labels.empty() && stage.allow.empty())
    return fail(Reason::bad_request,
                "'labels' says which of the model's labels are refused, or 'allow' which are not");
  if (stage.ask != GuardStage::Ask::labels && !stage.allow.empty())
    return fail(Reason::bad_request, "'allow' is for models that are asked for labels");
  return Done{};
}

json::array list_json(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& one : list) out.emplace_back(one);
  return out;
}

}  // namespace

std::string_view guard_place_name(GuardStage::Place place) {
  return place == GuardStage::Place::before ? "before" : "after";
}

Result<GuardStage> read_guard_stage(const json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "a guardrail is an object");
  const json::object& object = value.get_object();
  for (const auto& [key, member] : object)
    if (std::find(std::begin(known), std::end(known), std::string_view(key)) == std::end(known))
      return fail(Reason::bad_request, fmt::format("'{}' says nothing of a guardrail",
                                                   std::string_view(key).substr(0, word_bytes_max)));
  GuardStage stage;
  TRY(const bool after, is_second(object, "place", "before", "after"));
  if (after) stage.place = GuardStage::Place::after;
  TRY_DONE(read_list(object, "words", stage.words));
  // Nothing would ever be found by it.
  if (std::any_of(stage.words.begin(), stage.words.end(),
                  [](const std::string& word) { return plain_words(word).empty(); }))
    return fail(Reason::bad_request, "'words' has one without a letter or a digit");
  TRY_DONE(read_list(object, "labels", stage.labels));
  TRY_DONE(read_list(object, "allow", stage.allow));
  TRY(const auto secrets, codec::json_flag_if(object, "secrets"));
  stage.secrets = secrets.value_or(false);
  TRY(const auto endpoint, codec::json_text_if(object, "endpoint"));
  stage.endpoint = endpoint.value_or("");
  TRY(const auto ask, codec::json_text_if(object, "ask"));
  const auto* asked = std::find(std::begin(ask_names), std::end(ask_names), ask.value_or(ask_names[0]));
  if (asked == std::end(ask_names)) return fail(Reason::bad_request, "'ask' is labels, moderations or chat");
  stage.ask = static_cast<GuardStage::Ask>(asked - std::begin(ask_names));
  TRY(const auto threshold, codec::json_number_if(object, "threshold"));
  stage.threshold = threshold.value_or(stage.threshold);
  if (!(stage.threshold > 0 && stage.threshold <= 1))
    return fail(Reason::bad_request, "'threshold' is above 0 and at most 1");
  TRY(const bool flags, is_second(object, "then", "refuse", "flag"));
  if (flags) stage.then = GuardStage::Then::flag;
  TRY(const bool open, is_second(object, "failing", "closed", "open"));
  if (open) stage.failing = GuardStage::Failing::open;
  TRY(const auto timeout, codec::json_integer_if(object, "timeout_ms"));
  if (timeout && (*timeout < 1 || *timeout > timeout_ms_most))
    return fail(Reason::bad_request, fmt::format("'timeout_ms' is from 1 to {}", timeout_ms_most));
  if (timeout) stage.timeout = std::chrono::milliseconds(*timeout);
  TRY_DONE(check(stage));
  return stage;
}

json::object guard_stage_json(const GuardStage& stage) {
  json::object out{{"place", guard_place_name(stage.place)}};
  if (!stage.words.empty()) out["words"] = list_json(stage.words);
  if (stage.secrets) out["secrets"] = true;
  if (!stage.endpoint.empty()) {
    out["endpoint"] = stage.endpoint;
    out["ask"] = ask_names[static_cast<size_t>(stage.ask)];
    if (!stage.labels.empty()) out["labels"] = list_json(stage.labels);
    if (!stage.allow.empty()) out["allow"] = list_json(stage.allow);
    out["threshold"] = stage.threshold;
    out["timeout_ms"] = stage.timeout.count();
  }
  out["then"] = stage.then == GuardStage::Then::refuse ? "refuse" : "flag";
  out["failing"] = stage.failing == GuardStage::Failing::closed ? "closed" : "open";
  return out;
}

Result<std::unique_ptr<Guardrails>> Guardrails::open(sql::Database& database) {
  std::unique_ptr<Guardrails> out(new Guardrails(database));
  std::map<std::string, GuardStages> all;
  Status sound = Done{};
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    all.clear();
    return tx.query("SELECT endpoint, body FROM serve_guardrails ORDER BY endpoint, position", {},
                    [&](const sql::Row& row) {
                      const auto value = codec::parse_json(row.text(1));
                      auto stage = value.ok() ? read_guard_stage(value.value()) : value.error();
                      if (!stage.ok())
                        sound = stage.error();
                      else
                        all[row.text(0)].push_back(std::move(stage).value());
                      return sound.ok() && all.size() <= endpoints_max;
                    });
  }));
  TRY_DONE(sound);  // One that cannot be read must not be one that is not there.
  for (auto& [endpoint, stages] : all)
    out->stages_[endpoint] = std::make_shared<const GuardStages>(std::move(stages));
  return out;
}

std::shared_ptr<const GuardStages> Guardrails::stages_of(const std::string& endpoint) const {
  std::lock_guard lock(mutex_);
  const auto found = stages_.find(endpoint);
  return found == stages_.end() ? nullptr : found->second;
}

Status Guardrails::set(const std::string& endpoint, GuardStages stages) {
  if (stages.size() > guard_stages_max)
    return fail(Reason::bad_request, fmt::format("an endpoint has at most {} guardrails", guard_stages_max));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM serve_guardrails WHERE endpoint = ?", {endpoint}));
    for (size_t i = 0; i < stages.size(); ++i)
      TRY_DONE(tx.run(
          "INSERT INTO serve_guardrails (endpoint, position, body) VALUES (?, ?, ?)",
          {endpoint, static_cast<int64_t>(i), codec::to_text(json::value(guard_stage_json(stages[i])))}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  if (stages.empty())
    stages_.erase(endpoint);
  else
    stages_[endpoint] = std::make_shared<const GuardStages>(std::move(stages));
  return Done{};
}

}  // namespace holdfast::serve
