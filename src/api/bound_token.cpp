#include "api/bound_token.h"

#include "repo/hub.h"
#include "repo/pull_gate.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

Error nothing_approved() {
  return fail(Reason::policy_refused, "nothing is approved for this token's environment");
}

// Data sets and Spaces have no releases.
bool is_gated(const identity::Caller& caller, const repo::Repository& repository) {
  return !caller.environment.empty() && repository.type == repo::RepoType::model;
}

}  // namespace

Status check_pull(const Services& services, const Call& call) {
  if (!is_gated(call.caller, call.repo())) return Done{};
  if (services.pull_gate == nullptr) return nothing_approved();
  const std::string_view revision = call.capture("rev");
  if (revision.empty()) return services.pull_gate->may_clone(call.caller.environment, call.repo());
  TRY(const git::Repository objects, services.hub.storage.open(call.repo().id));
  TRY(const repo::Revision found,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, revision));
  return services.pull_gate->may_pull(call.caller.environment, call.repo(), found.commit);
}

Status check_pull(const Services& services, const identity::Caller& caller,
                  const repo::Repository& repository, const content::Sha256Digest& file) {
  if (!is_gated(caller, repository)) return Done{};
  if (services.pull_gate == nullptr) return nothing_approved();
  return services.pull_gate->may_pull(caller.environment, repository, file);
}

}  // namespace holdfast::api
