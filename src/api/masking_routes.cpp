#include "api/masking_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/route_rows.h"
#include "codec/json.h"
#include "repo/masking_jobs.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using repo::MaskingJob;

constexpr uint64_t body_bytes_max = 16 << 10;

json::object report_view(const repo::MaskingReport& report) {
  json::array masked, unread;
  for (const repo::MaskedFile& each : report.masked)
    masked.emplace_back(json::object{{"path", each.path}, {"findings", each.findings}});
  for (const auto& [path, why] : report.unread)
    unread.emplace_back(json::object{{"path", path}, {"why", why}});
  return {
      {"from", report.from.hex()},   {"commit", report.commit.hex()},        {"files", report.files},
      {"findings", report.findings}, {"leftFindings", report.left_findings}, {"masked", std::move(masked)},
      {"unread", std::move(unread)}};
}

json::object job_view(const MaskingJob& job) {
  json::object out{{"id", job.id},
                   {"state", repo::state_name(job.state)},
                   {"by", job.by},
                   {"revision", job.wish.revision},
                   {"into", job.wish.into}};
  if (job.report) out["report"] = report_view(*job.report);
  if (!job.failure.empty()) out["failure"] = job.failure;
  return out;
}

Result<Response> start(repo::MaskingJobs& jobs, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  repo::MaskingWish wish;
  TRY(const auto revision, codec::json_text_if(body, "revision"));
  TRY(const auto into, codec::json_text_if(body, "into"));
  TRY(const auto with, codec::json_text_if(body, "with"));
  if (revision) wish.revision = *revision;
  if (into) wish.into = *into;
  if (with) {
    const auto way = scan::mask_with_name(*with);
    if (!way) return fail(Reason::bad_request, "\"with\" must be one of [kind, stars, hash, nothing]");
    wish.with = *way;
  }
  TRY(const MaskingJob job, jobs.start(call.caller, call.repo(), wish));
  return json_answer(job_view(job), 202);
}

Result<Response> show(repo::MaskingJobs& jobs, const Call& call) {
  const std::string_view text = call.capture("num");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Code::not_found, "There is no such masking job");
  TRY(const MaskingJob job, jobs.find(call.repo().id, number));
  return json_answer(job_view(job));
}

}  // namespace

void add_masking_routes(RouteTable& table, repo::MaskingJobs& jobs) {
  const auto add = route_adder(table, body_bytes_max);
  add("POST", "/api/{T}/{id}/masking", "masking_start", Access::repo_write,
      [&](const Call& call) { return start(jobs, call); });
  add("GET", "/api/{T}/{id}/masking/{num}", "masking_show", Access::repo_write,
      [&](const Call& call) { return show(jobs, call); });
}

}  // namespace holdfast::api
