#include "api/bound_token.h"

#include <fmt/format.h>

#include "base/log.h"
#include "identity/private_reads.h"
#include "repo/hub.h"
#include "repo/pull_gate.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

Error nothing_approved() {
  return fail(Reason::policy_refused, "nothing is approved for this token's environment");
}

// What not everybody may see is read on the record; a reader who may is not kept waiting where the record
// fails.
void note_read(const Services& services, const identity::Caller& caller, const repo::Repository& repository,
               std::string_view what) {
  if (repository.visibility == repo::Visibility::public_) return;
  const std::string subject = fmt::format("{}:{}", repo::type_name(repository.type), repository.full_name());
  const Status noted =
      identity::note_private_read(services.database, services.audit, services.clock, caller, subject, what);
  if (!noted.ok())
    services.log.failure("private_read_not_noted", noted.error(), {{"repository", repository.full_name()}});
}

bool is_gated(const identity::Caller& caller) { return !caller.environment.empty(); }

Status may_pull(const Services& services, const Call& call, std::string_view revision) {
  if (!is_gated(call.caller)) return Done{};
  if (services.pull_gate == nullptr) return nothing_approved();
  if (revision.empty()) {
    TRY(const auto approved, services.pull_gate->approved(call.caller.environment, call.repo()));
    return approved.empty() ? Status(nothing_approved()) : Status(Done{});
  }
  TRY(const git::Repository objects, services.hub.storage.open(call.repo().id));
  TRY(const repo::Revision found,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, revision));
  return services.pull_gate->may_pull(call.caller.environment, call.repo(), found.commit);
}

}  // namespace

Status check_pull(const Services& services, const Call& call) {
  const std::string_view revision = call.capture("rev");
  TRY_DONE(may_pull(services, call, revision));
  note_read(services, call.caller, call.repo(), revision.empty() ? "git" : revision);
  return Done{};
}

Status check_pull(const Services& services, const identity::Caller& caller,
                  const repo::Repository& repository, const content::Sha256Digest& file) {
  if (is_gated(caller)) {
    if (services.pull_gate == nullptr) return nothing_approved();
    TRY_DONE(services.pull_gate->may_pull(caller.environment, repository, file));
  }
  note_read(services, caller, repository, "files");
  return Done{};
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
