// …/releases/{num}/evaluations, /api/registry/evaluations: runs that the server makes by itself.
#include "govern/evaluations.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/govern_views.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::EvaluationJob;
using net::Response;

json::object job_view(const govern::Evaluations& evaluations, const EvaluationJob& job) {
  json::object view{{"id", job.id},
                    {"record", job.record},
                    {"release", job.release},
                    {"state", govern::job_state_name(job.state)},
                    {"dataset", job.dataset},
                    {"dataset_revision", job.dataset_revision},
                    {"split", job.split},
                    {"criteria", job.criteria},
                    {"seed", job.seed},
                    {"by", job.by},
                    {"at", format_time(job.at)},
                    {"ended", nullptr},
                    {"attempts", job.attempts},
                    {"rows_done", job.state == govern::JobState::done ? job.rows : 0},
                    {"rows_total", job.rows},
                    {"rows_per_second", nullptr},
                    {"seconds_left", nullptr},
                    {"evidence", nullptr},
                    {"why", nullptr}};
  if (job.over()) view["ended"] = format_time(job.ended);
  if (job.evidence != 0) view["evidence"] = job.evidence;
  if (!job.why.empty()) view["why"] = job.why;
  const auto progress = evaluations.progress(job.id);
  if (job.over() || !progress) return view;
  view["rows_done"] = progress->rows_done;
  if (progress->rows_per_second > 0) view["rows_per_second"] = progress->rows_per_second;
  if (progress->seconds_left) view["seconds_left"] = *progress->seconds_left;
  return view;
}

Result<Response> start(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const auto revision, codec::json_text_if(body, "dataset_revision"));
  TRY(const auto seed, codec::json_integer_if(body, "seed"));
  if (seed.value_or(0) < 0) return fail(Reason::bad_request, "'seed' is not negative");
  const std::string record = record_in_path(call);
  TRY(const auto started,
      door.evaluations.start(call.caller, record, number,
                             {.revision = std::string(revision.value_or("main")), .seed = seed.value_or(0)}));
  if (const auto* refusal = std::get_if<govern::Refusal>(&started)) {
    TRY(const govern::StoredRecord stored, door.registry.records.find(call.caller, record));
    return error_answer_with(call.request, fail(Code::conflict, refusal->message), call.context,
                             {{"missing", missing_view(refusal->missing, stored.record, number)}});
  }
  return json_answer(job_view(door.evaluations, std::get<EvaluationJob>(started)), 202);
}

Result<Response> list(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const auto jobs, door.evaluations.list(call.caller, record_in_path(call), number));
  json::array out;
  for (const EvaluationJob& job : jobs) out.push_back(job_view(door.evaluations, job));
  return json_answer(json::object{{"evaluations", std::move(out)}});
}

Result<Response> show(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const EvaluationJob job, door.evaluations.find(call.caller, id));
  return json_answer(job_view(door.evaluations, job));
}

Result<Response> cancel(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const EvaluationJob job, door.evaluations.cancel(call.caller, id));
  return json_answer(job_view(door.evaluations, job));
}

}  // namespace

void add_govern_evaluation_routes(RouteTable& table, const GovernDoor& door) {
  const auto add = [&](const char* method, const char* pattern, const char* name, GovernAnswer answer) {
    const bool writes = std::string_view(method) == "POST";
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = writes ? Access::signed_in_write : Access::signed_in,
               .body_bytes_max = writes ? govern_body_bytes_max : 0,
               .handle = govern_handler(door, answer)});
  };
  constexpr const char* of_release = "/api/registry/records/{ns}/{name}/releases/{num}/evaluations";
  add("POST", of_release, "govern_start_evaluation", start);
  add("GET", of_release, "govern_evaluations", list);
  add("GET", "/api/registry/evaluations/{num}", "govern_evaluation", show);
  add("POST", "/api/registry/evaluations/{num}/cancel", "govern_cancel_evaluation", cancel);
}

}  // namespace holdfast::api
