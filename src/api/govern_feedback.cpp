// /api/registry/requests, /feedback, /review: what was answered, and what people made of it.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/govern_views.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

Result<govern::Feedback> read_feedback(const json::object& body) {
  govern::Feedback feedback;
  TRY(feedback.request, codec::json_text(body, "request"));
  TRY(const auto item, codec::json_integer_if(body, "item"));
  feedback.item = item.value_or(0);
  TRY(feedback.label, codec::json_text_if(body, "label"));
  TRY(feedback.edit, codec::json_text_if(body, "edit"));
  TRY(feedback.reject, codec::json_text_if(body, "reject"));
  if (feedback.label.has_value() + feedback.edit.has_value() + feedback.reject.has_value() != 1)
    return fail(Reason::bad_request, "feedback is one of 'label', 'edit' and 'reject'");
  return feedback;
}

Result<Response> give_feedback(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  std::vector<govern::Feedback> all;
  TRY(const json::array* list, codec::json_array_if(body, "feedback"));
  if (list == nullptr) {
    TRY(govern::Feedback one, read_feedback(body));
    all.push_back(std::move(one));
  } else {
    for (const json::value& value : *list) {
      if (!value.is_object()) return fail(Reason::bad_request, "'feedback' holds objects");
      TRY(govern::Feedback one, read_feedback(value.get_object()));
      all.push_back(std::move(one));
    }
  }
  TRY(const auto records, door.registry.requests.label(call.caller, all));
  for (const std::string& record : records) TRY_DONE(door.registry.watch.look(record));
  return json_answer(json::object{{"taken", all.size()}});
}

int64_t count_in(const Call& call) {
  const std::string limit(call.query().get("limit"));
  int64_t count = 50;
  std::from_chars(limit.data(), limit.data() + limit.size(), count);
  return count;
}

Result<Response> list_requests(const GovernDoor& door, const Call& call) {
  const std::string record(call.query().get("record"));
  if (record.empty()) return fail(Reason::bad_request, "'record' is missing");
  TRY(const auto requests, door.registry.requests.list(call.caller, record, count_in(call)));
  json::array out;
  for (const govern::KeptRequest& request : requests) out.push_back(request_view(request));
  return json_answer(json::object{{"requests", std::move(out)}});
}

Result<Response> show_request(const GovernDoor& door, const Call& call) {
  TRY(const govern::KeptRequest request,
      door.registry.requests.find(call.caller, std::string(call.capture("request")),
                                  govern::Requests::Content::with));
  return json_answer(request_view(request));
}

Result<Response> list_review(const GovernDoor& door, const Call& call) {
  TRY(const auto items,
      door.registry.review.list(call.caller, record_in_path(call), std::string(call.query().get("state"))));
  json::array out;
  for (const govern::ReviewItem& item : items) out.push_back(review_view(item));
  return json_answer(json::object{{"items", std::move(out)}});
}

Result<Response> judge(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string_view action, codec::json_text(body, "action"));
  TRY(const auto label, codec::json_text_if(body, "label"));
  TRY(const std::string reason, reason_in(body));
  TRY(const govern::ReviewItem item,
      door.registry.review.judge(call.caller, id, action, label.value_or(""), reason));
  return json_answer(review_view(item));
}

Result<Response> export_review(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const std::string_view dataset, codec::json_text(body, "dataset"));
  TRY(const auto exported, door.registry.review.export_rows(call.caller, record_in_path(call), dataset));
  return json_answer(json::object{{"dataset", exported.dataset},
                                  {"revision", exported.revision},
                                  {"path", exported.path},
                                  {"rows", exported.rows},
                                  {"golden", exported.golden}});
}

Result<Response> golden(const GovernDoor& door, const Call& call) {
  TRY(const auto examples, door.registry.review.golden(call.caller, record_in_path(call)));
  json::array out;
  for (const govern::GoldenExample& example : examples)
    out.push_back(json::object{{"id", example.id},
                               {"input", example.input},
                               {"label", example.label},
                               {"from_request", example.request},
                               {"at", format_time(example.at)}});
  return json_answer(json::object{{"examples", std::move(out)}});
}

}  // namespace

void add_govern_feedback_routes(RouteTable& table, const GovernDoor& door) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       GovernAnswer answer) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = std::string_view(method) == "GET" ? 0 : govern_body_bytes_max,
               .handle = govern_handler(door, answer)});
  };
  // Whoever may call a model may say what came of it: a read token is enough.
  add("POST", "/api/registry/feedback", "govern_feedback", Access::signed_in, give_feedback);
  add("GET", "/api/registry/requests", "govern_requests", Access::signed_in, list_requests);
  add("GET", "/api/registry/requests/{request}", "govern_request", Access::signed_in, show_request);
  add("GET", "/api/registry/records/{ns}/{name}/review", "govern_review", Access::signed_in, list_review);
  add("POST", "/api/registry/review/{num}", "govern_judge", Access::signed_in_write, judge);
  add("POST", "/api/registry/records/{ns}/{name}/review/export", "govern_export_review",
      Access::signed_in_write, export_review);
  add("GET", "/api/registry/records/{ns}/{name}/golden", "govern_golden", Access::signed_in, golden);
}

}  // namespace holdfast::api
