// The steps by which a revision comes: pieces fetched, files checked, all of it published.
#include <algorithm>
#include <array>

#include "base/guarded.h"
#include "exchange/mirror_core.h"
#include "repo/publisher.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

constexpr int failures_max = 12;
constexpr std::chrono::milliseconds retry_first{250}, retry_most{20'000};

// The upstream answered, and asking again would not help.
bool is_final(const Error& error) {
  using enum Reason;
  static constexpr auto all =
      std::to_array({repo_not_found, revision_not_found, entry_not_found, gated, forbidden, unauthenticated,
                     bad_credentials, policy_refused, bad_path});
  return std::ranges::find(all, error.reason) != all.end();
}

}  // namespace

// Under mutex. What somebody waits for comes first.
std::optional<MirrorCore::Step> MirrorCore::next_step() {
  const auto now = parts.clock.now();
  std::optional<Step> best;
  for (const auto& [id, arrival] : active_) {
    if (arrival->state != Arrival::State::fetching || arrival->retry_at > now) continue;
    bool all = true;
    for (size_t i = 0; i < arrival->files.size(); ++i) {
      const ArrivingFile& file = arrival->files[i];
      all = all && file.state == ArrivingFile::State::whole;
      if (file.state != ArrivingFile::State::coming) continue;
      if (file.all_here()) return Step{Step::Kind::check, arrival, i, 0};
      if (best && (best->arrival->files[best->file].waiting > 0 || file.waiting == 0)) continue;
      if (const auto piece = file.next_piece()) best = Step{Step::Kind::fetch, arrival, i, *piece};
    }
    if (all) return Step{Step::Kind::publish, arrival, 0, 0};
  }
  return best;
}

bool MirrorCore::fetch_something() {
  std::optional<Step> step;
  {
    std::lock_guard lock(mutex);
    if (stopping_) return false;
    step = next_step();
    if (!step) return false;
    switch (step->kind) {
      case Step::Kind::fetch:
        step->arrival->files[step->file].busy[step->piece] = true;
        break;
      case Step::Kind::check:
        step->arrival->files[step->file].state = ArrivingFile::State::checking;
        break;
      case Step::Kind::publish:
        step->arrival->state = Arrival::State::publishing;
        break;
    }
  }
  switch (step->kind) {
    case Step::Kind::fetch:
      fetch(*step);
      break;
    case Step::Kind::check:
      check(*step);
      break;
    case Step::Kind::publish:
      publish_all(*step);
      break;
  }
  tell();
  return true;
}

void MirrorCore::note_failure(Arrival& arrival, const Error& error, std::chrono::seconds asked_to_wait) {
  arrival.failure = error;
  ++arrival.failures;
  const auto usual = std::min(retry_most, retry_first * (1 << std::min(arrival.failures, 10)));
  // Never earlier than another of its pieces was asked to wait.
  arrival.retry_at = std::max(arrival.retry_at,
                              parts.clock.now() + std::max<std::chrono::milliseconds>(usual, asked_to_wait));
}

void MirrorCore::settle(const std::shared_ptr<Arrival>& arrival, Arrival::State state,
                        std::string_view detail) {
  const Status kept = set_state(*arrival, state_name(state), detail);
  if (!kept.ok()) parts.log.failure("mirror_state_not_kept", kept.error(), {{"revision", arrival->id}});
  parts.log.info("mirror_revision", {{"state", state_name(state)},
                                     {"revision", arrival->id},
                                     {"remote", arrival->place.remote},
                                     {"detail", detail}});
  parts.metrics
      .counter("holdfast_mirror_revisions_total", "Revisions taken over from upstreams, by how it ended.",
               {{"state", std::string(state_name(state))}})
      .add();
  std::lock_guard lock(mutex);
  arrival->state = state;
  arrival->retry_at = {};
  tell();
}

// One piece, or, of an upstream that sends no ranges, the whole file.
void MirrorCore::fetch(const Step& step) {
  const std::shared_ptr<Arrival>& arrival = step.arrival;
  ArrivingFile& file = arrival->files[step.file];
  size_t piece = step.piece;
  uint64_t had = 0;
  std::chrono::seconds asked_to_wait{};
  const auto work = [&]() -> Status {
    bool ranges_unknown = false, whole_only = false;
    {
      std::lock_guard lock(mutex);
      had = file.have[piece];
      ranges_unknown = !file.ranges.has_value();
      whole_only = file.ranges == false;
      if (whole_only) piece = 0;
    }
    if ((ranges_unknown && had > 0 && piece == 0) || whole_only) {
      // What lies here came from before: whether the upstream goes on in the middle is not known.
      TRY_DONE(file.staged.forget());
      std::lock_guard lock(mutex);
      std::fill(file.have.begin(), file.have.end(), 0);
      had = 0;
    }
    TRY(HubClient hub, open_hub(arrival->place.upstream));
    TRY(auto out, file.staged.append(piece));
    const auto take = [&](ByteView bytes) -> Status {
      while (!bytes.empty()) {
        const uint64_t room = file.staged.length(piece) - file.have[piece];  // Written by this thread only.
        if (room == 0) {
          if (piece + 1 >= file.staged.pieces())
            return fail(Reason::digest_mismatch, "the upstream sends more bytes than it lists");
          TRY_DONE(out->sync());
          ++piece;
          TRY_DONE(file.staged.forget_piece(piece));
          TRY(out, file.staged.append(piece));
          std::lock_guard lock(mutex);
          file.have[piece] = 0;
          continue;
        }
        const ByteView part = bytes.first(std::min<uint64_t>(bytes.size(), room));
        TRY_DONE(out->append(part));
        bytes = bytes.subspan(part.size());
        std::lock_guard lock(mutex);
        file.have[piece] += part.size();
        arrival->failures = 0;
        arrived.notify_all();
        if (stopping_) return fail(Reason::shutting_down, "stopping");
      }
      return Done{};
    };
    const auto sent =
        hub.download_range(arrival->remote(), arrival->remote_commit, file.remote.path,
                           piece * piece_bytes + had, file.staged.length(piece) - had, take, context());
    TRY_DONE(out->sync());
    asked_to_wait = hub.asked_to_wait();
    if (!sent.ok()) return sent.error();
    std::lock_guard lock(mutex);
    if (!file.ranges) file.ranges = sent.value() == HubClient::Sent::range || file.staged.pieces() == 1;
    if (file.have[piece] < file.staged.length(piece))
      return fail(Reason::dependency_failed, "the upstream ended a file too early");
    return Done{};
  };
  const Status done = guarded(work);
  bool ended = false;
  std::string why;
  {
    std::lock_guard lock(mutex);
    file.busy[step.piece] = false;
    if (done.ok() || stopping_) return;
    if (done.error().reason == Reason::digest_mismatch) file.ranges = false;  // Begun anew.
    note_failure(*arrival, done.error(), asked_to_wait);
    arrival->ends = ended = is_final(done.error()) || arrival->failures >= failures_max;
    why = done.error().message;
  }
  parts.log.failure("mirror_fetch_failed", done.error(), {{"revision", arrival->id}});
  if (ended) settle(arrival, Arrival::State::failed, why);
}

void MirrorCore::check(const Step& step) {
  ArrivingFile& file = step.arrival->files[step.file];
  const Status right = guarded([&] { return check_digest(file); });
  if (!right.ok()) {
    (void)file.staged.forget().ok();
    bool ended = false;
    {
      std::lock_guard lock(mutex);
      std::fill(file.have.begin(), file.have.end(), 0);
      file.ranges.reset();
      file.state = ArrivingFile::State::coming;
      note_failure(*step.arrival, right.error());
      step.arrival->ends = ended = step.arrival->failures >= failures_max;
    }
    parts.log.failure("mirror_digest_wrong", right.error(), {{"revision", step.arrival->id}});
    if (ended) settle(step.arrival, Arrival::State::failed, right.error().message);
    return;
  }
  const auto looked = guarded([&] { return check_staged_file(file, parts.policy, is_live_token); });
  std::string why;
  if (!looked.ok())
    why = file.remote.path + ": cannot be scanned";
  else if (looked.value())
    why = *looked.value();
  const bool refused = !why.empty() && step.arrival->findings == Arrival::Findings::usual;
  {
    std::lock_guard lock(mutex);
    file.state = refused ? ArrivingFile::State::refused : ArrivingFile::State::whole;
    file.why = why;
    if (refused) step.arrival->failure = fail(Reason::policy_refused, why);
    tell();
  }
  if (refused) settle(step.arrival, Arrival::State::quarantined, why);
}

void MirrorCore::publish_all(const Step& step) {
  const std::shared_ptr<Arrival>& arrival = step.arrival;
  const auto work = [&]() -> Result<Published> {
    std::string ref;
    if (arrival->asked == "main" || arrival->asked.empty()) {
      ref = repo::main_ref;
    } else if (arrival->asked != arrival->remote_commit) {
      TRY(HubClient hub, open_hub(arrival->place.upstream));
      // An upstream that is gone does not keep what is whole from being published under its commit.
      auto named = hub.ref_of(arrival->remote(), arrival->asked, context());
      if (named.ok()) ref = std::move(named).value();
    }
    TRY(Published published, publish(*arrival, ref, parts));
    const int64_t now = parts.clock.wall().time_since_epoch().count();
    TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run(
              "UPDATE exchange_revisions SET repo = ?, commit_oid = ?, digest = ?, license = ? WHERE id = ?",
              {published.repository.raw, published.commit, published.digest, published.license,
               arrival->id}));
      if (ref != repo::main_ref) return Done{};
      TRY([[maybe_unused]] const int64_t gone,
          tx.run("DELETE FROM exchange_repositories WHERE repo = ?", {published.repository.raw}));
      TRY([[maybe_unused]] const int64_t made,
          tx.run("INSERT INTO exchange_repositories (repo, upstream, remote, head, checked, state) "
                 "VALUES (?, ?, ?, ?, ?, '')",
                 {published.repository.raw, arrival->place.upstream.name, arrival->place.remote,
                  arrival->remote_commit, now}));
      return Done{};
    }));
    return published;
  };
  const auto done = guarded(work);
  if (done.ok()) {
    settle(arrival, Arrival::State::done, "");
    return;
  }
  parts.log.failure("mirror_publish_failed", done.error(), {{"revision", arrival->id}});
  const bool refused = done.error().reason == Reason::policy_refused;
  bool ended = refused;
  {
    std::lock_guard lock(mutex);
    note_failure(*arrival, done.error());
    ended = ended || is_final(done.error()) || arrival->failures >= failures_max;
    if (!ended) arrival->state = Arrival::State::fetching;
  }
  if (ended)
    settle(arrival, refused ? Arrival::State::quarantined : Arrival::State::failed, done.error().message);
}

}  // namespace holdfast::exchange
