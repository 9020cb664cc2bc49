#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/error_answer.h"
#include "api/file_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "codec/percent.h"
#include "content/store.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

using net::Response;

constexpr uint64_t blob_bytes_max = 64 << 20;  // A push over git takes no larger ones.

struct Located {
  git::Repository objects;
  std::string commit;
  repo::FileEntry file;
};

// The error after the revision is known carries it: clients note in their cache that this commit lacks the
// file.
Response missing_entry(const Call& call, const std::string& commit) {
  Response response =
      error_answer(Dialect::hub, call.request, repo::no_such_entry(call.capture("path")), call.context);
  response.headers.set("X-Repo-Commit", commit);
  return response;
}

// Whoever names a commit gets files of just that: one of an upstream keeps the name that it has there.
std::string commit_as_asked(std::string_view asked, const repo::Revision& revision) {
  return revision.ref.empty() && asked.size() == 40 ? std::string(asked) : revision.commit.hex();
}

using LocatedOr = std::variant<Located, Response>;

Result<LocatedOr> locate(Services& services, const Call& call) {
  TRY(git::Repository objects, services.hub.storage.open(call.repo().id));
  TRY(const repo::Revision revision,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, call.capture("rev")));
  const std::string commit = commit_as_asked(call.capture("rev"), revision);
  TRY(auto entry, services.hub.browser.find(call.repo(), objects, revision.commit, call.capture("path")));
  if (!entry || entry->is_folder() || entry->kind == git::EntryKind::submodule)
    return LocatedOr(missing_entry(call, commit));
  return LocatedOr(Located{.objects = std::move(objects), .commit = commit, .file = std::move(*entry)});
}

void add_xet(const Call& call, const Located& located, Response& response) {
  const content::FileHash& hash = located.file.large->hash;
  if (hash.zero()) return;
  response.headers.set("X-Xet-Hash", content::to_text(hash));
  const std::string refresh =
      fmt::format("{}/api/{}/{}/xet-read-token/{}", call.base_url, repo::type_plural(call.repo().type),
                  call.repo().full_name(), located.commit);
  response.headers.add("Link", fmt::format("<{}>; rel=\"xet-auth\"", refresh));
}

Result<Response> resolve(Services& services, const Call& call) {
  TRY(LocatedOr found, locate(services, call));
  if (auto* missing = std::get_if<Response>(&found)) return std::move(*missing);
  auto& located = std::get<Located>(found);
  const repo::FileEntry& file = located.file;
  FileAnswer answer;
  answer.name = std::string(call.capture("path"));
  answer.etag = file.large ? content::to_text(file.large->sha256) : file.id.hex();
  answer.size = file.size();
  Response response;
  if (file.large) {
    TRY(std::unique_ptr<content::Reader> reader, services.content.open(file.large->hash));
    TRY(response, answer_from_reader(call.request, answer, std::move(reader)));
    response.headers.set("X-Linked-Size", std::to_string(file.large->size));
    response.headers.set("X-Linked-Etag", fmt::format("\"{}\"", answer.etag));
    if (services.xet_offered) add_xet(call, located, response);
  } else {
    TRY(std::string bytes, located.objects.read_blob(file.id, blob_bytes_max));
    TRY(response, answer_from_text(call.request, answer, std::move(bytes)));
  }
  response.headers.set("X-Repo-Commit", located.commit);
  const bool pinned = call.capture("rev") == located.commit;
  response.headers.set("Cache-Control", call.repo().visibility == repo::Visibility::private_ || !pinned
                                            ? "private, no-cache"
                                            : "public, max-age=31536000, immutable");
  return response;
}

// The file as git has it: for a large one its pointer.
Result<Response> raw(Services& services, const Call& call) {
  TRY(LocatedOr found, locate(services, call));
  if (auto* missing = std::get_if<Response>(&found)) return std::move(*missing);
  auto& located = std::get<Located>(found);
  TRY(std::string bytes, located.objects.read_blob(located.file.id, blob_bytes_max));
  FileAnswer answer;
  answer.name = std::string(call.capture("path"));
  answer.etag = located.file.id.hex();
  answer.size = bytes.size();
  TRY(Response response, answer_from_text(call.request, answer, std::move(bytes)));
  response.headers.set("X-Repo-Commit", located.commit);
  return response;
}

}  // namespace

void add_hub_resolve_routes(RouteTable& table, Services& services) {
  const auto get = [&](const char* pattern, const char* name,
                       Result<Response> (*function)(Services&, const Call&)) {
    table.add({.method = "GET",
               .pattern = pattern,
               .name = name,
               .access = Access::repo_content,
               .handle = [&services, function](const Call& call) { return function(services, call); }});
  };
  get("/{id}/resolve/{rev}/{path*}", "hub_resolve", resolve);
  get("/api/{T}/{id}/resolve/{rev}/{path*}", "hub_api_resolve", resolve);
  get("/{id}/raw/{rev}/{path*}", "hub_raw", raw);
}

}  // namespace holdfast::api
