#include "govern/endpoints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "govern/endpoint_rows.h"
#include "govern/rows.h"
#include "identity/permission.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::govern {
namespace {

constexpr std::string_view columns =
    "id, record, model, revision, repo, creator, created, state, why, replicas_min, replicas_max, "
    "idle_minutes, "
    "spec, updated, queue_delay_ms";
constexpr size_t url_bytes_max = 2000;

Status read_attachments(sql::Transaction& tx, Endpoint& endpoint) {
  endpoint.attachments.clear();
  return tx.query(
      "SELECT revision, engine, url, anywhere, secret, engine_model FROM govern_attachments WHERE endpoint = "
      "? "
      "ORDER BY revision",
      {endpoint.id}, [&](const sql::Row& row) {
        endpoint.attachments.push_back(
            {row.text(0), row.text(1), row.text(2), row.text(4), row.integer(3) != 0, row.text(5)});
        return true;
      });
}

Status check_engine(const NewEndpoint& wish) {
  if (wish.url.empty()) return Done{};
  if (!(wish.url.starts_with("http://") || wish.url.starts_with("https://")) ||
      wish.url.size() > url_bytes_max)
    return fail(Reason::bad_request, "'url' begins with http:// or https://");
  if (std::find(std::begin(engine_kinds), std::end(engine_kinds), wish.engine) == std::end(engine_kinds))
    return fail(Reason::bad_request, fmt::format("'engine' is one of {}", fmt::join(engine_kinds, ", ")));
  if (!wish.secret.empty() && !wish.token.empty())
    return fail(Reason::bad_request, "'secret' or 'token', not both");
  return Done{};
}

}  // namespace

Result<std::vector<Endpoint>> endpoint_rows(sql::Transaction& tx, const std::string& id) {
  std::vector<Endpoint> endpoints;
  TRY_DONE(tx.query(
      fmt::format(
          "SELECT {} FROM govern_endpoints LEFT JOIN endpoint_settings ON endpoint = id WHERE ? = '' OR "
          "id = ? ORDER BY id LIMIT 10000",
          columns),
      {id, id}, [&](const sql::Row& row) {
        Endpoint endpoint{.id = row.text(0),
                          .record = row.text(1),
                          .model = row.text(2),
                          .revision = row.text(3),
                          .repository = row.integer(4),
                          .creator = row.text(5),
                          .created = time_of(row.integer(6))};
        endpoint.updated = endpoint.created;
        if (!row.is_null(7)) {
          endpoint.state = endpoint_state_of(row.text(7));
          endpoint.why = row.text(8);
          endpoint.settings = EndpointSettings{.replicas_min = row.integer(9),
                                               .replicas_max = row.integer(10),
                                               .idle_minutes = row.integer(11),
                                               .queue_delay_ms = row.integer(14),
                                               .spec = row.text(12)};
          endpoint.updated = time_of(row.integer(13));
        }
        endpoints.push_back(std::move(endpoint));
        return true;
      }));
  for (Endpoint& endpoint : endpoints) TRY_DONE(read_attachments(tx, endpoint));
  return endpoints;
}

Result<bool> Endpoints::may_see(const identity::Caller& caller, const Endpoint& endpoint) const {
  if (!endpoint.record.empty()) return parts_.access.seen(parts_.database, caller, endpoint.record).ok();
  TRY(const auto model, parts_.hub.repositories.find(repo::RepoId{endpoint.repository}));
  return model && parts_.hub.rights.may_see(caller, *model);
}

// What it stands for: checked, its revision a commit.
Result<Endpoint> Endpoints::place(const identity::Caller& caller, const NewEndpoint& wish) const {
  TRY_DONE(repo::check_repo_name(wish.name));
  Endpoint endpoint{.id = wish.ns + "/" + wish.name, .record = wish.record, .creator = caller.name};
  std::string model = wish.model;
  if (!wish.record.empty()) {
    TRY(const StoredRecord stored, parts_.access.seen(parts_.database, caller, wish.record));
    if (!model.empty() && model != stored.record.model)
      return fail(Reason::bad_request, fmt::format("'model': the record is about {}", stored.record.model));
    model = stored.record.model;
  }
  if (model.empty()) return fail(Reason::bad_request, "an endpoint needs a 'record' or a 'model'");
  const auto name = repo::parse_repo_name(repo::RepoType::model, model);
  const Error missing = fail(Reason::repo_not_found, fmt::format("The model '{}' does not exist", model));
  if (!name.ok()) return missing;
  TRY(const auto found, parts_.hub.repositories.find(name.value().type, name.value().ns, name.value().name));
  if (!found || !parts_.hub.rights.may_see(caller, *found)) return missing;
  endpoint.repository = found->id.raw;
  endpoint.model = found->full_name();
  TRY(const git::Repository objects, parts_.hub.storage.open(found->id));
  TRY(const repo::Revision revision, repo::find_revision(parts_.hub.publisher, objects, found->id,
                                                         wish.revision.empty() ? "main" : wish.revision));
  endpoint.revision = revision.commit.hex();
  return endpoint;
}

Result<Endpoint> Endpoints::create(const identity::Caller& caller, const NewEndpoint& wish) {
  TRY_DONE(parts_.access.check_change(caller, wish.ns));
  TRY_DONE(check_engine(wish));
  if (!wish.secret.empty() && !parts_.permission.may_administer_instance(caller))
    return fail(Reason::forbidden, "'secret': the secrets of this server are its administrators' to give");
  if (wish.settings) TRY_DONE(check_settings(*wish.settings));
  TRY(Endpoint endpoint, place(caller, wish));
  Bytes sealed;
  if (!wish.url.empty()) {
    TRY(sealed, parts_.keys.seal_secret(wish.token));
  }
  std::string url = wish.url;
  while (url.ends_with('/')) url.pop_back();
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(endpoint.created, parts_.decisions.now(tx));
    TRY(const std::vector<Endpoint> before, endpoint_rows(tx, endpoint.id));
    const bool same = !before.empty() && before.front().record == endpoint.record &&
                      before.front().repository == endpoint.repository;
    if (!before.empty() && (url.empty() || !same))
      return fail(Reason::already_exists, fmt::format("the endpoint {} exists", endpoint.id));
    if (before.empty())
      TRY_DONE(tx.run(
          "INSERT INTO govern_endpoints (id, record, model, revision, repo, creator, created) VALUES (?, ?, "
          "?, ?, ?, ?, ?)",
          {endpoint.id, endpoint.record, endpoint.model, endpoint.revision, endpoint.repository, caller.name,
           milliseconds(endpoint.created)}));
    if (wish.settings)
      TRY_DONE(write_settings(tx, endpoint.id, *wish.settings, EndpointState::pending, endpoint.created));
    if (!url.empty())
      TRY_DONE(tx.run(
          "INSERT INTO govern_attachments (endpoint, revision, engine, url, sealed_token, anywhere, "
          "secret, engine_model) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint, revision) DO UPDATE "
          "SET "
          "engine = excluded.engine, url = excluded.url, sealed_token = excluded.sealed_token, anywhere = "
          "excluded.anywhere, secret = excluded.secret, engine_model = excluded.engine_model",
          {endpoint.id, endpoint.revision, wish.engine, url, ByteView(sealed),
           int64_t{parts_.permission.may_administer_instance(caller) ? 1 : 0}, wish.secret,
           wish.engine_model}));
    return parts_.decisions.append(tx, {.actor = caller.name,
                                        .action = url.empty() ? "endpoint.created" : "endpoint.attached",
                                        .record = endpoint.record.empty() ? endpoint.id : endpoint.record,
                                        .details = {{"endpoint", endpoint.id},
                                                    {"model", endpoint.model},
                                                    {"revision", endpoint.revision},
                                                    {"url", url}}});
  }));
  forget_names();
  return find(caller, endpoint.id);
}

Result<Endpoint> Endpoints::find(const identity::Caller& caller, const std::string& id) const {
  TRY(std::vector<Endpoint> found, parts_.database.read<std::vector<Endpoint>>(
                                       [&](sql::Transaction& tx) { return endpoint_rows(tx, id); }));
  const Error missing = fail(Code::not_found, fmt::format("there is no endpoint '{}'", id));
  if (id.empty() || found.empty()) return missing;
  TRY(const bool visible, may_see(caller, found.front()));
  if (!visible) return missing;
  return std::move(found.front());
}

Result<std::vector<Endpoint>> Endpoints::list(const identity::Caller& caller) const {
  TRY(std::vector<Endpoint> all, parts_.database.read<std::vector<Endpoint>>(
                                     [&](sql::Transaction& tx) { return endpoint_rows(tx, ""); }));
  std::vector<Endpoint> seen;
  for (Endpoint& endpoint : all) {
    TRY(const bool visible, may_see(caller, endpoint));
    if (visible) seen.push_back(std::move(endpoint));
  }
  return seen;
}

std::shared_ptr<const std::vector<std::string>> Endpoints::names() const {
  std::lock_guard lock(names_mutex_);
  if (names_ != nullptr) return names_;
  auto all = parts_.database.read<std::vector<std::string>>(
      [](sql::Transaction& tx) -> Result<std::vector<std::string>> {
        std::vector<std::string> out;
        TRY_DONE(
            tx.query("SELECT id FROM govern_endpoints ORDER BY id LIMIT 10000", {}, [&](const sql::Row& row) {
              out.push_back(row.text(0));
              return true;
            }));
        std::sort(out.begin(), out.end());  // By bytes, whatever the database sorts by.
        return out;
      });
  if (!all.ok()) return std::make_shared<const std::vector<std::string>>();
  names_ = std::make_shared<const std::vector<std::string>>(std::move(all).value());
  return names_;
}

void Endpoints::forget_names() {
  std::lock_guard lock(names_mutex_);
  names_.reset();
}

std::string Endpoints::named(const identity::Caller& caller, std::string_view said) const {
  const auto all = names();
  const auto there = [&](const std::string& id) {
    if (!std::binary_search(all->begin(), all->end(), id)) return false;
    const auto found = find(caller, id);
    return found.ok() || found.error().code != Code::not_found;  // In an outage the door knows who may.
  };
  if (all->empty() || said.empty()) return {};
  if (said.find('/') != std::string_view::npos) return there(std::string(said)) ? std::string(said) : "";
  if (const std::string own = fmt::format("{}/{}", caller.name, said); there(own)) return own;
  std::string only;
  for (const std::string& id : *all) {
    if (std::string_view(id).substr(id.find('/') + 1) != said || !find(caller, id).ok()) continue;
    if (!only.empty()) return {};
    only = id;
  }
  return only;
}

Status Endpoints::remove(const identity::Caller& caller, const std::string& id) {
  TRY(const Endpoint endpoint, find(caller, id));
  TRY_DONE(parts_.access.check_change(caller, std::string_view(id).substr(0, id.find('/'))));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM govern_attachments WHERE endpoint = ?", {id}));
    TRY_DONE(tx.run("DELETE FROM endpoint_settings WHERE endpoint = ?", {id}));
    TRY_DONE(tx.run("DELETE FROM govern_endpoints WHERE id = ?", {id}));
    return parts_.decisions.append(tx, {.actor = caller.name,
                                        .action = "endpoint.deleted",
                                        .record = endpoint.record.empty() ? id : endpoint.record,
                                        .details = {{"endpoint", id}}});
  }));
  forget_names();
  return Done{};
}

Result<Secret> Endpoints::token_of(const std::string& endpoint, const std::string& revision) const {
  Bytes sealed;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT sealed_token FROM govern_attachments WHERE endpoint = ? AND revision = ?",
                    {endpoint, revision}, [&](const sql::Row& row) {
                      sealed = row.blob(0);
                      return false;
                    });
  }));
  if (sealed.empty()) return Secret();
  return parts_.keys.open_secret(sealed);
}

}  // namespace holdfast::govern
