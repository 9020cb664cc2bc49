#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/hub_checks.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/header_text.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "git/commit_log.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr size_t tree_page = 1000, expanded_page = 100, commits_page = 50, paths_max = 1000;
constexpr uint64_t paths_bytes_max = 4 << 20;

struct Opened {
  git::Repository objects;
  repo::Revision revision;
};

Result<Opened> open_revision(Services& services, const Call& call) {
  TRY(git::Repository objects, services.hub.storage.open(call.repo().id));
  TRY(repo::Revision revision,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, call.capture("rev")));
  return Opened{.objects = std::move(objects), .revision = std::move(revision)};
}

size_t number_or(std::string_view text, size_t fallback, size_t at_most) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return fallback;
  return std::min(number, at_most);
}

std::string with_parameter(const Call& call, std::string_view name, std::string_view value) {
  std::string query;
  const net::Query asked = call.query();  // Named: a loop does not keep a temporary alive.
  for (const auto& [key, old] : asked.pairs())
    if (key != name) query += fmt::format("{}={}&", codec::form_encode(key), codec::form_encode(old));
  return fmt::format("{}{}?{}{}={}", call.base_url, call.request.path(), query, name,
                     codec::form_encode(value));
}

// lastCommit and the scan's verdict, which clients ask for by expand=true.
Status add_details(Services& services, const Call& call, const Opened& opened,
                   std::span<const repo::FileEntry> entries, json::array& views) {
  TRY(const json::object statuses,
      file_statuses(services, call.repo(), opened.objects, opened.revision.commit));
  std::vector<std::string> paths;
  for (const repo::FileEntry& entry : entries) paths.push_back(entry.path);
  TRY(const auto changes, git::last_changes(opened.objects, opened.revision.commit, paths));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (views[i].as_object().at("type") == "file") {
      const json::value* status = statuses.if_contains(entries[i].path);
      views[i].as_object()["securityFileStatus"] = status == nullptr ? safe_file_status() : *status;
    }
    const auto found = changes.find(entries[i].path);
    if (found == changes.end()) continue;
    views[i].as_object()["lastCommit"] = json::object{{"id", found->second.id.hex()},
                                                      {"title", found->second.title()},
                                                      {"date", format_time(found->second.committer.time)}};
  }
  return Done{};
}

XetLinks xet_links(const Services& services) { return services.xet_offered ? XetLinks::yes : XetLinks::no; }

Result<Response> tree(Services& services, const Call& call) {
  const net::Query query = call.query();
  const bool expand = query.flag("expand");
  TRY(const Opened opened, open_revision(services, call));
  git::ListOptions options;
  options.folder = call.capture("path");
  while (options.folder.ends_with('/')) options.folder.pop_back();
  options.depth = query.flag("recursive") ? git::Depth::all : git::Depth::children;
  options.after = query.get("cursor");
  options.entries_max =
      std::max<size_t>(1, number_or(query.get("limit"), expand ? expanded_page : tree_page, tree_page));
  auto page = services.hub.browser.list(call.repo(), opened.objects, opened.revision.commit, options);
  if (!page.ok() && page.error().reason == Reason::entry_not_found)
    return repo::no_such_entry(options.folder);
  if (!page.ok()) return page.error();
  json::array out;
  for (const repo::FileEntry& entry : page.value().entries)
    out.emplace_back(tree_view(entry, xet_links(services)));
  if (expand) TRY_DONE(add_details(services, call, opened, page.value().entries, out));
  Response response = json_answer(out);
  if (page.value().more && !page.value().entries.empty())
    response.headers.add("Link",
                         codec::link_next(with_parameter(call, "cursor", page.value().entries.back().path)));
  return response;
}

struct PathsWish {
  std::vector<std::string> paths;
  bool expand = false;
};

// Form-encoded by the Python client, JSON by others.
Result<PathsWish> paths_in(const net::Request& request) {
  PathsWish out;
  if (request.headers.get("Content-Type").starts_with("application/json")) {
    TRY(const json::object body, codec::parse_json_object(request.body));
    TRY(const json::array* paths, codec::json_array(body, "paths"));
    TRY(const auto expand, codec::json_flag_if(body, "expand"));
    out.expand = expand.value_or(false);
    for (const json::value& path : *paths)
      if (path.is_string()) out.paths.emplace_back(path.get_string());
  } else {
    TRY(const codec::FormPairs pairs, codec::parse_form(request.body, paths_max + 1));
    for (const auto& [key, value] : pairs) {
      if (key == "paths" || key == "paths[]") out.paths.push_back(value);
      if (key == "expand") out.expand = value == "true" || value == "True" || value == "1";
    }
  }
  if (out.paths.size() > paths_max)
    return fail(Reason::bad_request, fmt::format("at most {} paths at once", paths_max));
  return out;
}

Result<Response> paths_info(Services& services, const Call& call) {
  TRY(const PathsWish wish, paths_in(call.request));
  TRY(const Opened opened, open_revision(services, call));
  std::vector<repo::FileEntry> entries;
  json::array out;
  for (std::string_view path : wish.paths) {
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) continue;
    TRY(auto entry, services.hub.browser.find(call.repo(), opened.objects, opened.revision.commit, path));
    if (!entry) continue;
    out.emplace_back(tree_view(*entry, xet_links(services)));
    entries.push_back(std::move(*entry));
  }
  if (wish.expand) TRY_DONE(add_details(services, call, opened, entries, out));
  return json_answer(out);
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

Result<Response> commits(Services& services, const Call& call) {
  const net::Query query = call.query();
  TRY(const Opened opened, open_revision(services, call));
  const size_t page = number_or(query.get("p"), 0, 2000);
  const size_t count = std::max<size_t>(1, number_or(query.get("limit"), commits_page, 1000));
  TRY(const git::LogPage log, git::read_log(opened.objects, opened.revision.commit, page * count, count));
  const std::vector<std::string_view> expand = query.all("expand");
  const bool formatted = std::ranges::find(expand, "formatted") != expand.end();
  json::array out;
  for (const git::Commit& commit : log.commits) {
    json::object view = commit_view(commit);
    if (formatted)
      view["formatted"] =
          json::object{{"title", html_escaped(commit.title())}, {"message", html_escaped(commit.body())}};
    out.emplace_back(std::move(view));
  }
  Response response = json_answer(out);
  if (log.more)
    response.headers.add("Link", codec::link_next(with_parameter(call, "p", std::to_string(page + 1))));
  return response;
}

Result<Response> refs(Services& services, const Call& call) {
  TRY(const std::vector<git::Ref> all, services.hub.publisher.refs(call.repo().id));
  json::array branches, tags, converts, pull_requests;
  for (const git::Ref& ref : all) {
    const auto under = [&](std::string_view prefix) { return ref.name.starts_with(prefix); };
    if (under("refs/heads/")) {
      // The default branch first: clients take the first one as it.
      json::value view = ref_view(ref, ref.name.substr(11));
      ref.name == repo::main_ref ? void(branches.insert(branches.begin(), std::move(view)))
                                 : void(branches.emplace_back(std::move(view)));
    } else if (under("refs/tags/")) {
      tags.emplace_back(ref_view(ref, ref.name.substr(10)));
    } else if (under("refs/convert/")) {
      converts.emplace_back(ref_view(ref, ref.name.substr(13)));
    } else if (under("refs/pr/")) {
      pull_requests.emplace_back(ref_view(ref, ref.name.substr(8)));
    }
  }
  json::object out{{"branches", branches}, {"converts", converts}, {"tags", tags}};
  if (call.query().flag("include_prs")) out["pullRequests"] = pull_requests;
  return json_answer(out);
}

}  // namespace

void add_hub_tree_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, uint64_t body_bytes_max,
                       ServiceHandler handler) {
    table.add(method, pattern, name, Access::repo_read, body_bytes_max, services, handler);
  };
  add("GET", "/api/{T}/{id}/tree/{rev}", "hub_tree", 0, tree);
  add("GET", "/api/{T}/{id}/tree/{rev}/{path*}", "hub_tree_folder", 0, tree);
  add("POST", "/api/{T}/{id}/paths-info/{rev}", "hub_paths_info", paths_bytes_max, paths_info);
  add("GET", "/api/{T}/{id}/commits/{rev}", "hub_commits", 0, commits);
  add("GET", "/api/{T}/{id}/refs", "hub_refs", 0, refs);
}

}  // namespace holdfast::api
