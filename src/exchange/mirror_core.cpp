#include "exchange/mirror_core.h"

#include <fmt/format.h>

#include "base/data_layout.h"
#include "identity/secrets.h"
#include "net/client.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

constexpr size_t arrivals_max = 64;

}  // namespace

io::Path MirrorCore::folder(int64_t id) const { return io::Path(data_layout::incoming) / std::to_string(id); }

Status MirrorCore::forget(int64_t id) { return parts.disk.remove_tree(folder(id)); }

Result<HubClient> MirrorCore::open_hub(const Upstream& upstream) const {
  Secret token;
  if (!upstream.secret.empty()) {
    auto revealed = parts.secrets.reveal(upstream.secret, host_of(upstream.url));
    // Not "not found", which would be said of the repository.
    if (!revealed.ok())
      return fail(Reason::dependency_failed, fmt::format("the token of the upstream {} cannot be read: {}",
                                                         upstream.name, revealed.error().message));
    token = std::move(revealed).value();
  }
  return HubClient(parts.client, upstream.url, std::move(token));
}

std::optional<int64_t> MirrorCore::just_published(const IncomingRevision& like) {
  std::lock_guard lock(mutex);
  for (const auto& [id, each] : active_)
    if (each->state == Arrival::State::done && each->type == like.type && each->ns == like.ns &&
        each->name == like.name && each->asked == like.asked && each->remote_commit == like.remote_commit)
      return id;
  return std::nullopt;
}

std::shared_ptr<Arrival> MirrorCore::find(int64_t id) {
  std::lock_guard lock(mutex);
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<Arrival>> MirrorCore::bring(int64_t id, Main main) {
  {
    std::lock_guard lock(mutex);
    const auto there = active_.find(id);
    if (there != active_.end() && there->second->state != Arrival::State::failed) {
      there->second->moves_main = there->second->moves_main || main == Main::moves;
      return there->second;
    }
  }
  TRY(const auto found, rows("state <> ? AND id = ?", "done", id));
  if (found.empty()) return fail(Code::not_found, "there is no such revision on its way");
  const IncomingRevision& row = found.front();
  std::string files;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT files FROM exchange_revisions WHERE id = ?", {id}, [&](const sql::Row& each) {
      files = each.text(0);
      return false;
    });
  }));
  auto arrival = std::make_shared<Arrival>();
  arrival->id = id;
  TRY(arrival->place.upstream, parts.upstreams.find(row.upstream));
  arrival->place.remote = row.remote;
  arrival->type = row.type;
  arrival->ns = row.ns;
  arrival->name = row.name;
  arrival->asked = row.asked;
  arrival->remote_commit = row.remote_commit;
  arrival->since = row.started;
  arrival->moves_main = main == Main::moves;
  TRY(auto list, files_of_json(files));
  arrival->list = std::make_shared<const std::vector<RemoteFile>>(std::move(list));
  TRY_DONE(lay_out(*arrival, parts.disk, folder(id)));
  if (row.detail.starts_with(released_mark)) arrival->findings = Arrival::Findings::accepted;
  if (row.state == "quarantined") {
    arrival->state = Arrival::State::quarantined;
    arrival->failure = fail(Reason::policy_refused, row.detail);
  }
  {
    std::lock_guard lock(mutex);
    const auto there = active_.find(id);
    if (there != active_.end() && there->second->state != Arrival::State::failed) return there->second;
    size_t running = 0;
    for (const auto& [key, each] : active_) running += each->state == Arrival::State::fetching ? 1 : 0;
    if (running >= arrivals_max) return fail(Reason::queue_full, "too many revisions are on their way");
    active_[id] = arrival;
    tell();
  }
  if (row.state == "failed") TRY_DONE(set_state(*arrival, "fetching", ""));
  return arrival;
}

Context MirrorCore::context() const {
  Context out;
  out.stop = stop_.get_token();
  return out;
}

void MirrorCore::tell() {
  changed.notify_all();
  arrived.notify_all();
}

void MirrorCore::drop(int64_t id) {
  std::lock_guard lock(mutex);
  active_.erase(id);
}

Status MirrorCore::resume() {
  TRY(const auto left, rows("state = ? AND id > ?", "fetching", 0));
  for (const IncomingRevision& each : left) {
    const auto brought = bring(each.id);
    if (!brought.ok()) parts.log.failure("mirror_not_resumed", brought.error(), {{"revision", each.id}});
  }
  return Done{};
}

}  // namespace holdfast::exchange
