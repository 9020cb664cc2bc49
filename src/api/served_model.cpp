#include "api/served_model.h"

#include <fmt/format.h>

#include "identity/permission.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {

Result<serve::ServedModel> find_served_model(Services& services, const Call& call, std::string_view name) {
  const Error missing =
      fail(Reason::repo_not_found, fmt::format("The model '{}' does not exist", name.substr(0, 200)));
  const size_t at = name.find('@');
  const std::string_view revision = at == std::string_view::npos ? "main" : name.substr(at + 1);
  const std::string_view full = name.substr(0, at);
  const auto wanted = repo::parse_repo_name(repo::RepoType::model, full);
  if (!wanted.ok()) return missing;
  const auto& [type, ns, short_name] = wanted.value();
  TRY(std::optional<repo::Repository> found, services.hub.repositories.find(type, ns, short_name));
  if (!found) {
    TRY(found, services.hub.repositories.find_moved(type, ns, short_name));
  }
  if (!found || !services.hub.rights.may_see(call.caller, *found)) return missing;
  if (found->disabled && !services.hub.rights.may_administer(call.caller, *found))
    return fail(Reason::forbidden, "Access to this resource is disabled.");
  TRY(const bool past_gate, services.hub.rights.may_read_files(call.caller, *found));
  if (!past_gate) return repo::gate_refusal(*found, call.base_url);
  const identity::Resource resource{repo::entity_kind(found->type), found->ns, found->name,
                                    found->visibility == repo::Visibility::private_
                                        ? identity::Visibility::private_
                                        : identity::Visibility::public_,
                                    found->creator};
  if (!services.permission.may_infer(call.caller, resource))
    return fail(Reason::forbidden, "this token may not call models");
  TRY(const git::Repository objects, services.hub.storage.open(found->id));
  TRY(const repo::Revision commit, repo::find_revision(services.hub.publisher, objects, found->id, revision));
  return serve::ServedModel{found->id.raw, found->full_name(), commit.commit.hex()};
}

}  // namespace holdfast::api
