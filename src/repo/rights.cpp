#include "repo/rights.h"

#include <fmt/format.h>

#include "sql/database.h"

namespace holdfast::repo {

identity::EntityKind entity_kind(RepoType type) {
  switch (type) {
    case RepoType::model:
      return identity::EntityKind::model;
    case RepoType::dataset:
      return identity::EntityKind::dataset;
    case RepoType::space:
      return identity::EntityKind::space;
  }
  return identity::EntityKind::model;
}

bool Rights::may(const identity::Caller& caller, identity::Right right, const Repository& repository) const {
  return permission_.may(caller, right,
                         {.kind = entity_kind(repository.type),
                          .ns = repository.ns,
                          .name = repository.name,
                          .visibility = repository.visibility,
                          .creator = repository.creator});
}

bool Rights::may_see(const identity::Caller& caller, const Repository& repository) const {
  return may(caller, identity::Right::read, repository);
}
bool Rights::may_find(const identity::Caller& caller, const Repository& repository) const {
  return may_see(caller, repository) && (!repository.deleted || !caller.environment.empty());
}
bool Rights::may_write(const identity::Caller& caller, const Repository& repository) const {
  return may(caller, identity::Right::write, repository);
}
bool Rights::may_administer(const identity::Caller& caller, const Repository& repository) const {
  return may(caller, identity::Right::admin, repository);
}

Result<bool> Rights::may_read_files(const identity::Caller& caller, const Repository& repository) const {
  if (!may_see(caller, repository)) return false;
  if (repository.gate == Gate::none || may_write(caller, repository)) return true;
  if (caller.anonymous()) return false;
  bool accepted = false;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    accepted = false;
    return tx.query("SELECT status FROM repo_gate_requests WHERE repo = ? AND user_name = ?",
                    {repository.id.raw, caller.name}, [&](const sql::Row& row) {
                      accepted = row.text(0) == "accepted";
                      return false;
                    });
  }));
  return accepted;
}

bool Rights::may_create(const identity::Caller& caller, RepoType type, std::string_view ns,
                        std::string_view name) const {
  return permission_.may_create(caller, entity_kind(type), ns, name);
}

Error gate_refusal(const Repository& repository, std::string_view base_url) {
  return fail(
      Reason::gated,
      fmt::format("Access to {} {} is restricted and you are not in the authorized list. Visit {}/{}{} to "
                  "ask for access.",
                  type_name(repository.type), repository.full_name(), base_url, url_prefix(repository.type),
                  repository.full_name()));
}

}  // namespace holdfast::repo
