#include "exchange/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/guarded.h"
#include "exchange/folder_arrival.h"
#include "exchange/mirror_core.h"
#include "exchange/upstream_changes.h"
#include "identity/audit.h"
#include "identity/names.h"
#include "repo/hub.h"
#include "repo/repositories.h"
#include "repo/upstream_refs.h"

namespace holdfast::exchange {
namespace {

constexpr int fetchers = 3;
constexpr std::chrono::milliseconds idle{100}, pump_idle{5};
constexpr std::chrono::seconds listing_kept{20}, silence_kept{3}, listing_timeout{20}, first_byte_timeout{8},
    schedule_step{1}, discard_timeout{10};
constexpr uint64_t small_bytes = 4 << 20, stream_bytes_max = 4 << 20;
// Clones and reads together leave threads of the disk pool (16) to everybody else.
constexpr size_t listings_max = 10'000, waiting_max = 8, cloning_max = 4;

// What an upstream said of a revision, a moment ago.
struct Listing {
  bool asking = true;
  std::optional<Error> error{};
  int64_t id = 0;
  std::chrono::milliseconds until{};
};

bool is_down(const Error& error) {
  return error.reason == Reason::dependency_failed || error.reason == Reason::timed_out;
}

// In the words of clients: silence is a gateway's time-out, never "repository not found".
Error faithful(const Error& error, const UpstreamPlace& place) {
  Error out = error;
  if (is_down(error)) {
    out = fail(Reason::timed_out,
               fmt::format("the upstream {} does not answer; what was taken over before is served on",
                           place.upstream.name));
  } else if (error.reason == Reason::unauthenticated || error.reason == Reason::bad_credentials) {
    // Whoever asks here has nothing to do with the token that was sent there.
    out = fail(Reason::dependency_failed, fmt::format("the upstream {} refuses this hub's own token: {}",
                                                      place.upstream.name, error.message));
  } else {
    out.message = fmt::format("the upstream {} says: {}", place.upstream.name, error.message);
    // Clients look for these words.
    if (error.reason == Reason::revision_not_found) out.message = error.message;
  }
  return out;
}

// Some thread fetches or looks at a piece of it. Under the mirror's mutex.
bool is_busy(const Arrival& arrival) {
  return std::ranges::any_of(arrival.files, [](const ArrivingFile& file) {
    return file.state == ArrivingFile::State::checking ||
           std::ranges::find(file.busy, true) != file.busy.end();
  });
}

// One of the few threads that may wait for a whole revision.
struct Seat {
  explicit Seat(std::atomic<size_t>& seats) : all(seats), taken(++seats <= cloning_max) {}
  ~Seat() { --all; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  std::atomic<size_t>& all;
  const bool taken;
};

class RunningMirror final : public Mirror {
 public:
  RunningMirror(const MirrorParts& parts, repo::Checks::IsLiveToken is_live_token)
      : core_(parts, std::move(is_live_token)), parts_(core_.parts) {}
  ~RunningMirror() override {
    core_.stop();
    threads_.clear();  // Joins.
  }

  Status begin() {
    TRY_DONE(core_.resume());
    const auto run = [this](auto step, std::chrono::milliseconds rest) {
      threads_.emplace_back([this, step, rest] {
        while (true) {
          const bool worked = step();
          // The schedule's span is not cut short by what changes meanwhile.
          const auto until = parts_.clock.now() + (worked ? std::chrono::milliseconds(0) : rest);
          do {
            if (!core_.wait_for_change(std::max(until - parts_.clock.now(), std::chrono::milliseconds(0))))
              return;
          } while (rest == schedule_step && parts_.clock.now() < until);
        }
      });
    };
    for (int i = 0; i < fetchers; ++i) run([this] { return core_.fetch_something(); }, idle);
    run([this] { return core_.push_something(); }, pump_idle);
    run([this] { return look_at_schedule(); }, std::chrono::milliseconds(schedule_step));
    return Done{};
  }

  Result<std::optional<ArrivingRevision>> find(const identity::Caller& caller, repo::RepoType type,
                                               std::string_view ns, std::string_view name,
                                               std::string_view revision) override;
  Result<Bytes> read(int64_t revision, std::string_view path, uint64_t offset, uint64_t length) override;
  Result<bool> wait_until_published(int64_t revision, std::chrono::milliseconds span) override;
  Result<int64_t> start(repo::RepoType type, std::string_view ns, std::string_view name,
                        std::string_view revision) override;
  Status take_folder(const FolderRevision& folder) override {
    TRY([[maybe_unused]] const Published published, take_over_folder(folder, parts_, core_.is_live_token));
    return Done{};
  }
  Result<std::vector<IncomingRevision>> list(std::string_view state) override {
    return state.empty() ? core_.rows("state <> ? AND id > ?", "", 0)
                         : core_.rows("state = ? AND id > ?", state, 0);
  }
  Result<IncomingRevision> show(int64_t revision) override {
    TRY(auto found, core_.rows("state <> ? AND id = ?", "", revision));
    if (found.empty()) return fail(Code::not_found, "there is no such revision");
    return std::move(found.front());
  }
  Result<std::vector<IncomingRevision>> taken_over(repo::RepoId repository) override {
    return core_.rows("state = ? AND repo = ?", "done", repository.raw);
  }
  Status release(const identity::Caller& caller, int64_t revision, std::string_view reason) override;
  Status discard(const identity::Caller& caller, int64_t revision) override;
  Result<std::string> sync(const repo::Repository& repository) override;

 private:
  Result<int64_t> ask_upstream(const UpstreamPlace& place, repo::RepoType type, std::string_view ns,
                               std::string_view name, std::string_view revision);
  Result<int64_t> list_revision(const UpstreamPlace& place, repo::RepoType type, std::string_view ns,
                                std::string_view name, std::string_view revision);
  Status judge(const identity::Caller& caller, int64_t revision, std::string_view action,
               std::string_view reason);
  bool look_at_schedule();

  MirrorCore core_;
  const MirrorParts& parts_;
  std::map<std::string, Listing> listings_;  // Guarded by core_.mutex.
  std::atomic<size_t> cloning_ = 0;          // Of git's requests that wait.
  size_t waiting_ = 0;                       // Requests that wait for bytes; likewise.
  std::vector<std::jthread> threads_;
};

Result<int64_t> RunningMirror::list_revision(const UpstreamPlace& place, repo::RepoType type,
                                             std::string_view ns, std::string_view name,
                                             std::string_view revision) {
  TRY(HubClient hub, core_.open_hub(place.upstream));
  Context context = core_.context();
  context.deadline = parts_.clock.now() + listing_timeout;
  Arrival asked;
  asked.type = type;
  asked.place = place;
  auto remote = hub.revision(asked.remote(), revision, context);
  if (!remote.ok()) {
    // What was listed before and is not whole yet goes on from what is here.
    if (is_down(remote.error())) {
      TRY(const auto rows, core_.rows("state <> 'done' AND ns = ? AND id > ?", ns, 0));
      for (const IncomingRevision& row : rows)
        if (row.type == type && identity::equal_names(row.name, name) &&
            (row.asked == revision || row.remote_commit == revision))
          return row.id;
    }
    return faithful(remote.error(), place);
  }
  if (remote.value().commit.size() != 40)
    return fail(Reason::dependency_failed, "the upstream names no commit");
  // Whoever saw no repository a moment ago: nothing is fetched twice.
  if (const auto published = core_.just_published({.type = type,
                                                   .ns = std::string(ns),
                                                   .name = std::string(name),
                                                   .asked = std::string(revision),
                                                   .remote_commit = remote.value().commit}))
    return *published;
  return core_.note(place, type, ns, name, revision, remote.value());
}

// One question however many ask; its answer, or its failure, holds for a moment.
Result<int64_t> RunningMirror::ask_upstream(const UpstreamPlace& place, repo::RepoType type,
                                            std::string_view ns, std::string_view name,
                                            std::string_view revision) {
  const std::string key = fmt::format("{}@{}", repo::place_of(type, ns, name), revision);
  {
    std::unique_lock lock(core_.mutex);
    const auto known = [&]() -> const Listing* {
      const auto found = listings_.find(key);
      return found == listings_.end() ? nullptr : &found->second;
    };
    const bool answered = core_.changed.wait_for(lock, listing_timeout, [&] {
      const Listing* listing = known();
      return listing == nullptr || !listing->asking;
    });
    if (!answered) return fail(Reason::timed_out, "the upstream does not answer");
    if (const Listing* listing = known(); listing != nullptr && parts_.clock.now() < listing->until) {
      if (listing->error) return *listing->error;
      return listing->id;
    }
    if (listings_.size() >= listings_max) listings_.clear();
    listings_[key] = Listing{};
  }
  const auto listed = guarded([&] { return list_revision(place, type, ns, name, revision); });
  std::lock_guard lock(core_.mutex);
  Listing& listing = listings_[key];
  listing.asking = false;
  listing.until = parts_.clock.now() + (listed.ok() ? listing_kept : silence_kept);
  if (listed.ok())
    listing.id = listed.value();
  else
    listing.error = listed.error();
  core_.tell();
  return listed;
}

Result<std::optional<ArrivingRevision>> RunningMirror::find(const identity::Caller& caller,
                                                            repo::RepoType type, std::string_view ns,
                                                            std::string_view name,
                                                            std::string_view revision) {
  using Answer = std::optional<ArrivingRevision>;
  TRY(const auto place, parts_.upstreams.behind(ns, name));
  if (!place || !repo::check_repo_name(name).ok()) return Answer();
  TRY(const auto here, parts_.hub.repositories.find(type, ns, name));
  if (here && (here->deleted || here->creator != mirror_caller().name)) return Answer();
  repo::Repository as_if;
  as_if.type = type;
  as_if.ns = ns;
  as_if.name = name;
  as_if.visibility = here ? here->visibility : place->upstream.visibility;
  if (!parts_.hub.rights.may_see(caller, as_if)) return Answer();
  if (here) {
    TRY(const bool past_gate, parts_.hub.rights.may_read_files(caller, *here));
    if (!past_gate) return Answer();
  }
  if (!caller.environment.empty())
    return fail(Reason::policy_refused,
                fmt::format("this token fetches what is approved for {}; {}/{} is not here yet",
                            caller.environment, ns, name));
  TRY_DONE(check_rules(*place));
  TRY(const int64_t id, ask_upstream(*place, type, ns, name, revision));
  TRY(const std::shared_ptr<Arrival> arrival, core_.bring(id));
  std::lock_guard lock(core_.mutex);
  if (arrival->state == Arrival::State::quarantined)
    return fail(Reason::policy_refused, fmt::format("{}/{} is quarantined: {}", ns, name,
                                                    arrival->failure ? arrival->failure->message : ""));
  if (arrival->state == Arrival::State::failed && arrival->failure)
    return faithful(*arrival->failure, *place);
  return Answer(ArrivingRevision{.id = id,
                                 .commit = arrival->remote_commit,
                                 .visibility = as_if.visibility,
                                 .since = arrival->since,
                                 .files = arrival->list});
}

Result<Mirror::Bytes> RunningMirror::read(int64_t revision, std::string_view path, uint64_t offset,
                                          uint64_t length) {
  const std::shared_ptr<Arrival> arrival = core_.find(revision);
  if (!arrival) return fail(Code::not_found, "there is no such revision on its way");
  size_t index = arrival->list->size();
  for (size_t i = 0; i < arrival->list->size(); ++i)
    if ((*arrival->list)[i].path == path) index = i;
  if (index == arrival->list->size()) return fail(Reason::entry_not_found, "no such file");
  const uint64_t size = (*arrival->list)[index].size;
  const bool small = size <= small_bytes;
  {
    std::lock_guard lock(core_.mutex);
    if (waiting_ >= waiting_max)
      return fail(Reason::queue_full, "too many requests wait for upstreams; ask again in a moment");
    ++waiting_;
  }
  // Small files wait until they are looked at, so that a refusal is an answer and not a cut.
  const Status came = core_.wait_for(arrival, index, offset, small ? size : 1, first_byte_timeout);
  {
    std::lock_guard lock(core_.mutex);
    --waiting_;
  }
  if (!came.ok()) {
    if (came.error().reason == Reason::policy_refused)
      return fail(Reason::policy_refused, "quarantined: " + came.error().message);
    return faithful(came.error(), arrival->place);
  }
  if (small) {
    std::string text(std::min(length, size - std::min(offset, size)), '\0');
    TRY(const size_t got, arrival->files[index].staged.read_at(
                              offset, std::as_writable_bytes(std::span(text.data(), text.size()))));
    if (got != text.size()) return fail(Reason::data_corrupt, "a staged file is shorter than it was");
    return Bytes(std::move(text));
  }
  auto body = net::make_pushed_body(stream_bytes_max);
  core_.add_stream(arrival, index, offset, length, body);
  return Bytes(std::move(body));
}

Result<bool> RunningMirror::wait_until_published(int64_t revision, std::chrono::milliseconds span) {
  const std::shared_ptr<Arrival> arrival = core_.find(revision);
  if (!arrival) return fail(Code::not_found, "there is no such revision on its way");
  const auto until = parts_.clock.now() + span;
  const Seat seat(cloning_);
  if (!seat.taken)
    return fail(Reason::queue_full, "too many clones wait for upstreams; ask again in a moment");
  while (true) {
    {
      std::lock_guard lock(core_.mutex);
      if (arrival->state == Arrival::State::done) return true;
      if (arrival->state == Arrival::State::quarantined)
        return fail(Reason::policy_refused,
                    "quarantined: " + (arrival->failure ? arrival->failure->message : ""));
      if (arrival->state == Arrival::State::failed && arrival->failure)
        return faithful(*arrival->failure, arrival->place);
    }
    const auto left = until - parts_.clock.now();
    if (left <= std::chrono::milliseconds(0)) return false;
    if (!core_.wait_for_change(std::min<std::chrono::milliseconds>(left, idle)))
      return fail(Reason::shutting_down, "the server stops");
  }
}

Result<int64_t> RunningMirror::start(repo::RepoType type, std::string_view ns, std::string_view name,
                                     std::string_view revision) {
  TRY_DONE(repo::check_repo_name(name));
  TRY(const auto place, parts_.upstreams.behind(ns, name));
  if (!place) return fail(Code::not_found, fmt::format("no upstream stands behind '{}'", ns));
  TRY_DONE(check_rules(*place));
  TRY(const auto here, parts_.hub.repositories.find(type, ns, name));
  if (here && here->creator != mirror_caller().name)
    return fail(Reason::already_exists, "a repository of this hub's own has this name");
  TRY(const int64_t id, ask_upstream(*place, type, ns, name, revision));
  TRY([[maybe_unused]] const auto arrival, core_.bring(id));
  return id;
}

Status RunningMirror::judge(const identity::Caller& caller, int64_t revision, std::string_view action,
                            std::string_view reason) {
  TRY(const IncomingRevision row, show(revision));
  if (row.state != "quarantined")
    return fail(Reason::precondition_failed, fmt::format("the revision is {}, not quarantined", row.state));
  return parts_.database.write([&](sql::Transaction& tx) {
    return parts_.audit.append(
        tx, {.actor = caller.name,
             .action = std::string(action),
             .subject = fmt::format("{}:{}/{}", repo::type_name(row.type), row.ns, row.name),
             .details = {{"finding", row.detail.substr(0, 500)},
                         {"reason", std::string(reason.substr(0, 500))},
                         {"remote_commit", row.remote_commit}}});
  });
}

Status RunningMirror::release(const identity::Caller& caller, int64_t revision, std::string_view reason) {
  if (reason.empty()) return fail(Reason::bad_request, "say why: it is kept in the audit log");
  TRY_DONE(judge(caller, revision, "mirror.released", reason));
  TRY(const std::shared_ptr<Arrival> arrival, core_.bring(revision));
  TRY_DONE(
      core_.set_state(*arrival, "fetching", fmt::format("{}{}: {}", released_mark, caller.name, reason)));
  std::lock_guard lock(core_.mutex);
  arrival->findings = Arrival::Findings::accepted;
  arrival->state = Arrival::State::fetching;
  arrival->failures = 0;
  arrival->retry_at = {};
  arrival->failure.reset();
  arrival->ends = false;
  for (ArrivingFile& file : arrival->files)
    if (file.state == ArrivingFile::State::refused) file.state = ArrivingFile::State::whole;
  core_.tell();
  return Done{};
}

// Its row goes first: whatever a thread still notes of it then is of nothing, and the next request is a new
// one.
Status RunningMirror::discard(const identity::Caller& caller, int64_t revision) {
  TRY(const IncomingRevision row, show(revision));
  if (row.state == "done")
    return fail(Reason::precondition_failed, "the revision is here: delete the repository, or let it be");
  const std::shared_ptr<Arrival> arrival = core_.find(revision);
  if (arrival) {
    std::lock_guard lock(core_.mutex);
    if (arrival->state == Arrival::State::publishing || arrival->state == Arrival::State::done)
      return fail(Reason::precondition_failed, "the revision is complete and becomes seen in this moment");
    arrival->state = Arrival::State::failed;
    arrival->failure = fail(Reason::policy_refused, "the import was cancelled");
    core_.tell();
  }
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("DELETE FROM exchange_revisions WHERE id = ? AND state <> 'done'", {revision}));
    return parts_.audit.append(
        tx, {.actor = caller.name,
             .action = row.state == "fetching" ? "mirror.cancelled" : "mirror.discarded",
             .subject = fmt::format("{}:{}/{}", repo::type_name(row.type), row.ns, row.name),
             .details = {{"finding", row.detail.substr(0, 500)}, {"remote_commit", row.remote_commit}}});
  }));
  if (arrival) {
    std::unique_lock lock(core_.mutex);
    core_.changed.wait_for(lock, discard_timeout, [&] { return !is_busy(*arrival); });
  }
  core_.drop(revision);
  {
    std::lock_guard lock(core_.mutex);
    listings_.clear();
  }
  return core_.forget(revision);
}

Result<std::string> RunningMirror::sync(const repo::Repository& repository) {
  TRY(const auto place, parts_.upstreams.behind(repository.ns, repository.name));
  if (!place) return fail(Code::not_found, "no upstream stands behind this repository");
  TRY(HubClient hub, core_.open_hub(place->upstream));
  TRY(const UpstreamChange change, look_for_changes(hub, repository, *place, parts_));
  if (change.remote && place->upstream.follow == Follow::upstream) {
    const std::string alias = fmt::format("{}{}", repo::upstream_prefix, change.remote->commit);
    TRY(const auto here, parts_.hub.publisher.ref(repository.id, alias));
    TRY(const auto main, parts_.hub.publisher.ref(repository.id, repo::main_ref));
    if (here && main && *here == *main) return change.what;
    TRY(const int64_t id,
        core_.note(*place, repository.type, repository.ns, repository.name, "main", *change.remote));
    TRY([[maybe_unused]] const auto arrival, core_.bring(id, MirrorCore::Main::moves));
  }
  return change.what;
}

// Repositories whose upstream wants to be looked at again; the longest unseen first, a few at a time.
bool RunningMirror::look_at_schedule() {
  const auto looked = guarded([&]() -> Status {
    TRY(const auto upstreams, parts_.upstreams.list());
    const int64_t now = parts_.clock.wall().time_since_epoch().count();
    for (const Upstream& upstream : upstreams) {
      if (upstream.every.count() == 0) continue;
      std::vector<int64_t> due;
      TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
        due.clear();
        return tx.query(
            "SELECT repo FROM exchange_repositories WHERE upstream = ? AND checked <= ? ORDER BY checked "
            "LIMIT "
            "16",
            {upstream.name, now - int64_t{upstream.every.count()}}, [&](const sql::Row& row) {
              due.push_back(row.integer(0));
              return true;
            });
      }));
      for (const int64_t id : due) {
        TRY(const auto repository, parts_.hub.repositories.find(repo::RepoId{id}));
        const auto synced = repository ? sync(*repository) : Result<std::string>(std::string());
        if (!synced.ok()) parts_.log.failure("mirror_sync_failed", synced.error(), {{"repo", id}});
        TRY_DONE(note_checked(parts_.database, id, now, repository.has_value()));
      }
    }
    return Done{};
  });
  if (!looked.ok()) parts_.log.failure("mirror_schedule_failed", looked.error());
  return false;
}

}  // namespace

Result<std::unique_ptr<Mirror>> open_mirror(const MirrorParts& parts,
                                            repo::Checks::IsLiveToken is_live_token) {
  auto mirror = std::make_unique<RunningMirror>(parts, std::move(is_live_token));
  TRY_DONE(mirror->begin());
  return std::unique_ptr<Mirror>(std::move(mirror));
}

}  // namespace holdfast::exchange
