#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t text_bytes_max = 1 << 20;
constexpr int64_t page_size = 10;

Result<json::object> body_of(const Call& call) {
  // Merging sends "null" or nothing.
  if (call.request.body.empty() || call.request.body == "null") return json::object();
  return codec::parse_json_object(call.request.body);
}

Result<int64_t> number_in(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > 1'000'000'000)
    return fail(Reason::entry_not_found, "No discussion with this number");
  return number;
}

Result<repo::DiscussionFilter> filter_of(const net::Query& query) {
  repo::DiscussionFilter filter;
  const std::string_view type = query.get("type"), status = query.get("status");
  if (type == "discussion")
    filter.kind = repo::DiscussionKind::discussion;
  else if (type == "pull_request")
    filter.kind = repo::DiscussionKind::pull_request;
  else if (!type.empty() && type != "all")
    return fail(Reason::bad_request, "\"type\" must be one of [all, discussion, pull_request]");
  if (status == "open")
    filter.state = repo::DiscussionFilter::State::open;
  else if (status == "closed")
    filter.state = repo::DiscussionFilter::State::closed;
  else if (!status.empty() && status != "all")
    return fail(Reason::bad_request, "\"status\" must be one of [all, open, closed]");
  filter.author = query.get("author");
  filter.count_max = page_size;
  if (const auto page = query.find("p")) {
    TRY(const int64_t number, number_in(*page));
    filter.skip = number * page_size;
  }
  return filter;
}

Result<Response> list(Services& services, const Call& call) {
  TRY(const repo::DiscussionFilter filter, filter_of(call.query()));
  TRY(const repo::DiscussionPage page, services.hub.discussions.list(call.repo().id, filter));
  json::array out;
  for (const repo::Discussion& each : page.discussions) out.emplace_back(discussion_view(each, call.repo()));
  return json_answer(json::object{
      {"discussions", out}, {"count", page.total}, {"start", filter.skip}, {"numClosedDiscussions", 0}});
}

Result<Response> open(Services& services, const Call& call) {
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view title, codec::json_text(body, "title"));
  TRY(const auto description, codec::json_text_if(body, "description"));
  TRY(const auto pull_request, codec::json_flag_if(body, "pullRequest"));
  const repo::NewDiscussion wish{.title = std::string(title),
                                 .description = std::string(description.value_or("")),
                                 .kind = pull_request.value_or(false) ? repo::DiscussionKind::pull_request
                                                                      : repo::DiscussionKind::discussion};
  TRY(const repo::Discussion opened, services.hub.discussions.open(call.caller, call.repo(), wish));
  return json_answer(json::object{
      {"num", opened.number},
      {"url", fmt::format("{}/discussions/{}", repo_url(call.base_url, call.repo()), opened.number)},
      {"pullRequest", pull_request.value_or(false)}});
}

Status add_pull_request(Services& services, const Call& call, const repo::Discussion& discussion,
                        json::object& view) {
  json::object changes{{"base", discussion.base}};
  if (!discussion.merge_commit.empty()) changes["mergeCommitId"] = discussion.merge_commit;
  view["changes"] = std::move(changes);
  json::array conflicts;
  auto paths = services.hub.discussions.conflicts(call.repo(), discussion);
  if (paths.ok())
    for (const std::string& path : paths.value()) conflicts.emplace_back(path);
  view["filesWithConflicts"] = std::move(conflicts);
  if (!call.query().flag("diff")) return Done{};
  auto diff = services.hub.discussions.diff(call.repo(), discussion);
  view["diff"] = diff.ok() ? diff.value() : std::string();
  return Done{};
}

Result<Response> details(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const repo::Discussion discussion, services.hub.discussions.find(call.repo().id, number));
  TRY(const auto events, services.hub.discussions.events(call.repo().id, number));
  json::object view = discussion_view(discussion, call.repo());
  json::array list;
  for (const repo::DiscussionEvent& event : events) list.emplace_back(event_view(event));
  view["events"] = std::move(list);
  if (discussion.kind == repo::DiscussionKind::pull_request)
    TRY_DONE(add_pull_request(services, call, discussion, view));
  return json_answer(view);
}

Response event_answer(const char* key, const repo::DiscussionEvent& event) {
  return json_answer(json::object{{key, event_view(event)}});
}

Result<Response> comment(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view text, codec::json_text(body, "comment"));
  TRY(const auto event, services.hub.discussions.comment(call.caller, call.repo(), number, text));
  return event_answer("newMessage", event);
}

Result<Response> edit_comment(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view text, codec::json_text(body, "content"));
  TRY(const auto event,
      services.hub.discussions.edit_comment(call.caller, call.repo(), number, call.capture("event"), text));
  return event_answer("updatedComment", event);
}

Result<Response> hide_comment(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const auto event,
      services.hub.discussions.hide_comment(call.caller, call.repo(), number, call.capture("event")));
  return event_answer("updatedComment", event);
}

Result<Response> rename(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view title, codec::json_text(body, "title"));
  TRY(const auto event, services.hub.discussions.rename(call.caller, call.repo(), number, title));
  return event_answer("newTitle", event);
}

Result<Response> set_status(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view status, codec::json_text(body, "status"));
  TRY(const auto said, codec::json_text_if(body, "comment"));
  if (status != "open" && status != "closed")
    return fail(Reason::bad_request, "\"status\" must be one of [open, closed]");
  TRY(const auto event, services.hub.discussions.set_status(
                            call.caller, call.repo(), number,
                            status == "open" ? repo::DiscussionStatus::open : repo::DiscussionStatus::closed,
                            said.value_or("")));
  return event_answer("newStatus", event);
}

Result<Response> merge(Services& services, const Call& call) {
  TRY(const int64_t number, number_in(call.capture("num")));
  TRY(const json::object body, body_of(call));
  TRY(const auto said, codec::json_text_if(body, "comment"));
  TRY(const git::ObjectId commit,
      services.hub.discussions.merge(call.caller, call.repo(), number, said.value_or("")));
  return json_answer(json::object{{"mergeCommitId", commit.hex()}});
}

}  // namespace

void add_hub_discussion_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       ServiceHandler handler) {
    table.add(method, pattern, name, access, text_bytes_max, services, handler);
  };
  add("GET", "/api/{T}/{id}/discussions", "hub_discussions", Access::repo_read, list);
  add("POST", "/api/{T}/{id}/discussions", "hub_discussion_open", Access::repo_contribute, open);
  add("GET", "/api/{T}/{id}/discussions/{num}", "hub_discussion", Access::repo_read, details);
  add("POST", "/api/{T}/{id}/discussions/{num}/comment", "hub_discussion_comment", Access::repo_contribute,
      comment);
  add("POST", "/api/{T}/{id}/discussions/{num}/comment/{event}/edit", "hub_comment_edit",
      Access::repo_contribute, edit_comment);
  add("POST", "/api/{T}/{id}/discussions/{num}/comment/{event}/hide", "hub_comment_hide",
      Access::repo_contribute, hide_comment);
  add("POST", "/api/{T}/{id}/discussions/{num}/title", "hub_discussion_title", Access::repo_contribute,
      rename);
  add("POST", "/api/{T}/{id}/discussions/{num}/status", "hub_discussion_status", Access::repo_contribute,
      set_status);
  add("POST", "/api/{T}/{id}/discussions/{num}/merge", "hub_discussion_merge", Access::repo_write, merge);
}

}  // namespace holdfast::api
