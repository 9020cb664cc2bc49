// GET /api/{T}/{id}/changes/{rev}?since=REV: what differs between two revisions, by file and by the card's
// sections.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/card_changes.h"
#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "repo/comparison.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

std::string_view kind_name(git::DiffKind kind) {
  switch (kind) {
    case git::DiffKind::added:
      return "added";
    case git::DiffKind::removed:
      return "removed";
    case git::DiffKind::modified:
      return "changed";
  }
  return "";
}

Result<net::Response> changes(Services& services, const Call& call) {
  TRY_DONE(check_may_compare(call));
  const repo::Repository& repository = call.repo();
  TRY(const git::Repository objects, services.hub.storage.open(repository.id));
  TRY(const repo::Revision after,
      repo::find_revision(services.hub.publisher, objects, repository.id, call.capture("rev")));
  git::ObjectId before;
  const net::Query query = call.query();
  if (const auto since = query.find("since")) {
    TRY(const repo::Revision named,
        repo::find_revision(services.hub.publisher, objects, repository.id, *since));
    before = named.commit;
  } else {
    TRY(const git::Commit commit, objects.commit(after.commit));
    if (!commit.parents.empty()) before = commit.parents.front();
  }
  TRY(const repo::RevisionChanges found, repo::compare_revisions(objects, before, after.commit));
  json::array files, flags;
  for (const git::DiffEntry& entry : found.files.entries)
    files.emplace_back(json::object{{"path", entry.path}, {"change", kind_name(entry.kind)}});
  for (const std::string& flag : found.flags) flags.emplace_back(flag);
  return json_answer(json::object{{"from", before.zero() ? json::value(nullptr) : json::value(before.hex())},
                                  {"to", after.commit.hex()},
                                  {"flags", std::move(flags)},
                                  {"files", std::move(files)},
                                  {"filesCut", found.files.cut},
                                  {"card", card_changes_view(found.card)}});
}

}  // namespace

void add_hub_compare_routes(RouteTable& table, Services& services) {
  table.add({.method = "GET",
             .pattern = "/api/{T}/{id}/changes/{rev}",
             .name = "hub_changes",
             .access = Access::repo_content,
             .handle = [&services](const Call& call) { return changes(services, call); }});
}

}  // namespace holdfast::api
