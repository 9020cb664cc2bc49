#include "api/bound_token.h"

#include "repo/hub.h"
#include "repo/pull_gate.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

Error nothing_approved() {
  return fail(Reason::policy_refused, "nothing is approved for this token's environment");
}

bool is_gated(const identity::Caller& caller) { return !caller.environment.empty(); }

}  // namespace

Status check_pull(const Services& services, const Call& call) {
  if (!is_gated(call.caller)) return Done{};
  if (services.pull_gate == nullptr) return nothing_approved();
  const std::string_view revision = call.capture("rev");
  if (revision.empty()) {
    TRY(const auto approved, services.pull_gate->approved(call.caller.environment, call.repo()));
    return approved.empty() ? Status(nothing_approved()) : Status(Done{});
  }
  TRY(const git::Repository objects, services.hub.storage.open(call.repo().id));
  TRY(const repo::Revision found,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, revision));
  return services.pull_gate->may_pull(call.caller.environment, call.repo(), found.commit);
}

Status check_pull(const Services& services, const identity::Caller& caller,
                  const repo::Repository& repository, const content::Sha256Digest& file) {
  if (!is_gated(caller)) return Done{};
  if (services.pull_gate == nullptr) return nothing_approved();
  return services.pull_gate->may_pull(caller.environment, repository, file);
}

Result<std::optional<std::vector<git::NamedCommit>>> clonable(const Services& services, const Call& call) {
  using Commits = std::optional<std::vector<git::NamedCommit>>;
  if (!is_gated(call.caller)) return Commits();
  if (services.pull_gate == nullptr) return nothing_approved();
  TRY(const auto approved, services.pull_gate->approved(call.caller.environment, call.repo()));
  if (approved.empty()) return nothing_approved();
  std::vector<git::NamedCommit> commits{{"refs/heads/main", approved.front().commit}};
  for (const repo::PullGate::Approved& one : approved)
    commits.push_back({"refs/tags/" + one.name, one.commit});
  return Commits(std::move(commits));
}

}  // namespace holdfast::api
