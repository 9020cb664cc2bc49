#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/json.h"
#include "identity/accounts.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t wish_bytes_max = 256 << 10;

// The files of `source`'s main as one commit to `target`. History stays behind: it may hold what was taken
// out since.
Status copy_files(Services& services, const Call& call, const repo::Repository& source,
                  const repo::Repository& target) {
  TRY(const auto head, services.hub.publisher.ref(source.id, repo::main_ref));
  if (!head) return Done{};
  TRY(const git::Repository objects, services.hub.storage.open(source.id));
  TRY(const auto files, services.hub.browser.files(source, objects, *head, repo::commit_operations_max));
  TRY(auto draft, services.hub.commits.begin(call.caller, target));
  std::set<std::string_view> kept;
  for (const repo::FileEntry& file : files) {
    kept.insert(file.path);
    if (file.large) {
      TRY_DONE(draft->put_large(file.path, file.large->sha256, file.large->size));
    } else {
      TRY(const std::string bytes, objects.read_blob(file.id, repo::regular_file_bytes_max));
      TRY_DONE(draft->put_file(file.path, as_bytes(bytes)));
    }
  }
  TRY(const auto first, services.hub.publisher.ref(target.id, repo::main_ref));
  if (first) {
    TRY(const git::Repository own, services.hub.storage.open(target.id));
    TRY(const auto made, repo::Browser::paths(own, *first));
    for (const std::string& path : made)
      if (!kept.contains(path)) TRY_DONE(draft->delete_file(path));
  }
  const repo::CommitTarget where{.revision = "main",
                                 .parent_commit = {},
                                 .summary = fmt::format("Duplicate from {}", source.full_name()),
                                 .description = {}};
  TRY([[maybe_unused]] const repo::CommitDone done, draft->finish(where));
  return Done{};
}

Result<Response> duplicate(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view wanted, codec::json_text(body, "repository"));
  TRY(repo::RepoName place, repo::parse_repo_name(call.repo().type, wanted));
  TRY(const auto word, codec::json_text_if(body, "visibility"));
  TRY(const auto flag, codec::json_flag_if(body, "private"));
  repo::NewRepository wish{.type = place.type,
                           .ns = place.ns,
                           .name = place.name,
                           .visibility = call.repo().visibility,
                           .sdk = call.repo().sdk};
  const auto ns = services.accounts.find_namespace(place.ns);
  if (ns.ok()) wish.ns = ns.value().name;
  if (word) {
    const auto named = repo::visibility_of_name(*word);
    if (!named) return fail(Reason::bad_request, "\"visibility\" must be one of [public, private]");
    wish.visibility = *named;
  } else if (flag) {
    wish.visibility = *flag ? repo::Visibility::private_ : repo::Visibility::public_;
  }
  auto made = services.hub.repositories.create(call.caller, wish);
  if (!made.ok()) {
    if (made.error().reason != Reason::already_exists) return made.error();
    TRY(const auto there, services.hub.repositories.find(wish.type, wish.ns, wish.name));
    if (!there) return made.error();
    return error_answer_with(call.request, made.error(), call.context,
                             json::object{{"url", repo_url(call.base_url, *there)}});
  }
  const Status copied = copy_files(services, call, call.repo(), made.value());
  if (!copied.ok()) {
    // What is refused leaves nothing: an empty namesake would stand in the way of the next try.
    const Status removed = services.hub.repositories.remove(call.caller, made.value());
    if (!removed.ok()) return removed.error();
    return copied.error();
  }
  return json_answer(json::object{{"url", repo_url(call.base_url, made.value())},
                                  {"name", made.value().full_name()},
                                  {"filesCopyPending", false}});
}

}  // namespace

void add_hub_duplicate_routes(RouteTable& table, Services& services) {
  table.add("POST", "/api/{T}/{id}/duplicate", "hub_duplicate", Access::repo_content, wish_bytes_max,
            services, duplicate);
}

}  // namespace holdfast::api
