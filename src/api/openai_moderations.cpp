#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/moderation_labels.h"
#include "api/openai_routes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "base/random.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 8 << 20, labels_bytes_max = 64 << 10;
constexpr size_t inputs_max = 1024;
constexpr std::string_view labels_file = "moderation.json";

// A text, a list of texts, or parts of one text.
Result<json::array> read_texts(const json::object& body) {
  const Error bad =
      fail(Reason::bad_request, "'input' is a text, or a list of texts or of parts that are texts");
  const json::value* input = body.if_contains("input");
  if (input == nullptr || input->is_null()) return fail(Reason::bad_request, "'input' is missing");
  if (input->is_string()) return json::array{*input};
  if (!input->is_array() || input->get_array().empty() || input->get_array().size() > inputs_max) return bad;
  json::array texts;
  std::string whole;
  for (const json::value& one : input->get_array()) {
    if (one.is_string()) {
      texts.push_back(one);
      continue;
    }
    if (!one.is_object()) return bad;
    TRY(const std::string_view type, codec::json_text(one.get_object(), "type"));
    if (type != "text") return fail(Reason::not_offered, "'input' may have texts here, no images");
    TRY(const std::string_view text, codec::json_text(one.get_object(), "text"));
    if (!whole.empty()) whole += '\n';
    whole += text;
  }
  if (texts.empty()) return json::array{json::value(whole)};
  if (texts.size() != input->get_array().size()) return bad;
  return texts;
}

// What the model's repository says of its labels, at the revision that answers.
Result<ModerationLabels> read_labels(Services& services, const serve::ServedModel& model) {
  TRY(const auto repository, services.hub.repositories.find(repo::RepoId{model.repository}));
  if (!repository) return ModerationLabels();
  TRY(const git::Repository objects, services.hub.storage.open(repository->id));
  TRY(const git::ObjectId commit, git::ObjectId::parse(model.commit));
  TRY(const auto entry, services.hub.browser.find(*repository, objects, commit, std::string(labels_file)));
  if (!entry || entry->is_folder() || entry->large) return ModerationLabels();
  TRY(const std::string text, objects.read_blob(entry->id, labels_bytes_max));
  return ModerationLabels::read(text);
}

Result<net::Response> moderate(Services& services, serve::Models& models, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string name, model_wanted(call, body));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(json::array texts, read_texts(body));
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  if (facts.task != "text-classification")
    return fail(Reason::model_unsupported, fmt::format("the model '{}' does not classify texts", name));
  TRY(const ModerationLabels labels, read_labels(services, model));
  TRY(const json::value answer, ask_task(models, call, model, "text-classification", std::move(texts),
                                         {{"top_k", nullptr}, {"truncation", true}}));
  json::array results;
  for (const json::value& scores : answer.as_array()) {
    const json::array& list = scores.as_array();
    if (std::none_of(list.begin(), list.end(), [&](const json::value& one) {
          return !labels.category_of(one.at("label").as_string()).empty();
        }))
      return fail(
          Reason::model_unsupported,
          fmt::format(
              "no label of the model '{}' stands for a category of moderation; its {} may say which do", name,
              labels_file));
    results.push_back(moderation_result(labels, list));
  }
  return json_answer(json::object{
      {"id", "modr-" + services.random.hex(12)}, {"model", name}, {"results", std::move(results)}});
}

}  // namespace

void add_moderation_routes(RouteTable& table, Services& services, serve::Models& models) {
  enum class Door : uint8_t { only };
  static constexpr RouteRow<Door> rows[] = {
      {"POST", "/v1/moderations", "openai_moderations", Door::only},
      {"POST", "/models/{ns}/{name}/v1/moderations", "model_moderations", Door::only}};
  add_rows(table, rows, body_bytes_max, Dialect::openai,
           [&services, &models](const Call& call, Door) { return moderate(services, models, call); });
}

}  // namespace holdfast::api
