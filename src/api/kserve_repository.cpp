#include "api/kserve_repository.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/kserve_statistics.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/metrics.h"
#include "codec/json.h"
#include "observe/desk.h"
#include "observe/endpoint_figures.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;

Result<json::object> optional_body(const Call& call) {
  if (call.request.body.empty()) return json::object();
  return codec::parse_json_object(call.request.body);
}

// Loaded models that this caller may see.
Result<std::vector<serve::ServedModel>> visible(Services& services, serve::Models& models, const Call& call) {
  std::vector<serve::ServedModel> out;
  for (const serve::ServedModel& model : models.loaded()) {
    TRY(const std::optional<repo::Repository> found,
        services.hub.repositories.find(repo::RepoId{model.repository}));
    if (found && services.hub.rights.may_find(call.caller, *found)) out.push_back(model);
  }
  return out;
}

Result<Response> index(Services& services, serve::Models& models, const Call& call) {
  TRY(const json::object body, optional_body(call));
  TRY_DONE(codec::json_flag_if(body, "ready"));  // All that are listed are.
  TRY(const auto loaded, visible(services, models, call));
  json::array out;
  for (const serve::ServedModel& model : loaded)
    out.push_back(
        json::object{{"name", model.name}, {"version", model.commit}, {"state", "READY"}, {"reason", ""}});
  return json_answer(out);
}

Result<Response> statistics_of_all(Services& services, serve::Models& models, const Call& call) {
  TRY(const auto loaded, visible(services, models, call));
  const observe::Desk* desk = call.served ? call.served->desk : nullptr;
  if (desk == nullptr) return fail(Reason::not_offered, "nothing is measured here");
  json::array out;
  std::string seen;  // Versions of one model stand together.
  const std::string all = services.metrics.text();
  for (const serve::ServedModel& model : loaded) {
    const std::string label = call.served->desk->names().endpoint_of_model(model.repository);
    if (seen.find(label) != std::string::npos) continue;
    seen += label;
    for (json::value& one : kserve_statistics(observe::figures_of_endpoint(all, label), model.name))
      out.push_back(std::move(one));
  }
  return json_answer(json::object{{"model_stats", std::move(out)}});
}

// "ns/name/load" or "ns/name/unload".
Result<Response> change(Services& services, serve::Models& models, const Call& call) {
  const std::string_view path = call.capture("model");
  const size_t slash = path.rfind('/');
  const std::string_view verb = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (slash == std::string_view::npos || (verb != "load" && verb != "unload"))
    return fail(Reason::not_offered, "this is not answered here: a model is loaded or unloaded");
  TRY(const serve::ServedModel model, find_served_model(services, call, path.substr(0, slash)));
  if (verb == "unload")
    return fail(Reason::not_offered,
                fmt::format("explicit unload of '{}' is not offered: a model gives way when its place is "
                            "needed; an endpoint is paused or scaled to zero",
                            model.name));
  TRY(const json::object body, optional_body(call));
  TRY(const json::object* parameters, codec::json_object_if(body, "parameters"));
  if (parameters != nullptr && !parameters->empty())
    return fail(Reason::bad_request,
                fmt::format("'{}': a model's repository says what it is, and the request does not",
                            std::string_view(parameters->begin()->key())));
  TRY_DONE(models.facts(call.context, model, asker_of(call)));
  return json_answer(json::object());
}

}  // namespace

Result<Response> kserve_model_statistics(const Services& services, const Call& call,
                                         const serve::ServedModel& model) {
  if (!call.served || call.served->desk == nullptr)
    return fail(Reason::not_offered, "nothing is measured here");
  observe::SeriesNames& names = call.served->desk->names();
  const bool released = call.served->by && !call.served->by->record.empty();
  const std::string label =
      released ? names.endpoint_of(call.served->by->record) : names.endpoint_of_model(model.repository);
  return json_answer(json::object{
      {"model_stats",
       kserve_statistics(observe::figures_of_endpoint(services.metrics.text(), label), model.name)}});
}

void add_kserve_repository_routes(RouteTable& table, Services& services, serve::Models& models) {
  using Answer = Result<Response> (*)(Services&, serve::Models&, const Call&);
  struct Row {
    const char *method, *pattern, *name;
    Answer answer;
  };
  static constexpr Row rows[] = {{"POST", "/v2/repository/index", "kserve_index", index},
                                 {"POST", "/v2/repository/models/{model*}", "kserve_load", change},
                                 {"GET", "/v2/models/stats", "kserve_statistics", statistics_of_all}};
  for (const Row& row : rows)
    table.add({row.method, row.pattern, row.name, Access::signed_in,
               std::string_view(row.method) == "POST" ? body_bytes_max : 0,
               CallHandler([&services, &models, answer = row.answer](const Call& call) {
                 return answer(services, models, call);
               }),
               Dialect::kserve});
}

}  // namespace holdfast::api
