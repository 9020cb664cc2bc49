#include "repo/push_rules.h"

#include <fmt/format.h>

#include "content/store.h"
#include "git/tree_diff.h"
#include "repo/checks.h"
#include "repo/discussions.h"
#include "repo/revisions.h"
#include "repo/rights.h"
#include "repo/uploads.h"

namespace holdfast::repo {
namespace {

constexpr size_t pushed_files_max = 100'000;

const HubPusher& pusher_of(const git::Push& push) { return static_cast<const HubPusher&>(push.pusher); }

Error missing_object(const git::LfsPointer& pointer) {
  return fail(
      Reason::object_missing,
      fmt::format(
          "LFS object {} ({} bytes) is not on this server. Run \"git lfs push --all\" and push again.",
          pointer.sha256, pointer.size));
}

}  // namespace

void HubPusher::bring(std::vector<HeldFile> files) const {
  const std::lock_guard lock(mutex_);
  files_ = std::move(files);
}

std::vector<HeldFile> HubPusher::brought() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

Status PushRules::check_command(const HubPusher& pusher, const git::RefCommand& command) {
  if (rights_.may_write(pusher.caller, pusher.repository)) {
    const bool known = command.ref.starts_with("refs/heads/") || command.ref.starts_with("refs/tags/") ||
                       command.ref.starts_with("refs/convert/") || is_pull_request_ref(command.ref);
    if (!known)
      return fail(Reason::forbidden,
                  fmt::format("{} cannot be pushed: use refs/heads, refs/tags or refs/pr", command.ref));
    if (!is_pull_request_ref(command.ref)) return Done{};
    // A number belongs to a discussion, so a pull request must exist before it is pushed to.
    TRY(const auto there, publisher_.ref(pusher.repository.id, command.ref));
    if (!there)
      return fail(Reason::forbidden,
                  fmt::format("{} does not exist: open a pull request first", command.ref));
    if (command.after.zero()) return fail(Reason::forbidden, "A pull request's branch cannot be deleted");
    return Done{};
  }
  TRY(const bool own, discussions_.may_push(pusher.caller, pusher.repository, command.ref));
  if (own && !command.after.zero()) return Done{};
  return fail(Reason::forbidden,
              fmt::format("You don't have the rights to write to {}", pusher.repository.full_name()));
}

Status PushRules::check(const git::Push& push, const git::NewObjects& objects) {
  const HubPusher& pusher = pusher_of(push);
  for (const git::RefCommand& command : push.commands) TRY_DONE(check_command(pusher, command));
  std::vector<HeldFile> brought;
  for (const auto& [blob, pointer] : objects.pointers) {
    TRY(const content::Sha256Digest sha256, content::parse_sha256(pointer.sha256));
    const Status named = uploads_.may_name(pusher.caller, sha256);
    if (!named.ok()) return named.error().reason == Reason::object_missing ? missing_object(pointer) : named;
    auto file = content_.touch(sha256);
    if (!file.ok() || file.value().size != pointer.size) return missing_object(pointer);
    brought.push_back({.file = file.value(), .path = {}});
  }
  pusher.bring(std::move(brought));
  return check_files(push, pusher);
}

// What the pushed heads hold beyond what is here.
Status PushRules::check_files(const git::Push& push, const HubPusher& pusher) {
  for (const git::RefCommand& command : push.commands) {
    if (command.after.zero()) continue;
    const auto head = push.repository.commit(command.after);
    if (!head.ok()) continue;  // Refused when the refs are decided.
    git::ObjectId before = command.before;
    if (before.zero()) {
      TRY(const auto main, publisher_.ref(pusher.repository.id, main_ref));
      before = main.value_or(git::ObjectId());
    }
    TRY_DONE(checks_.check_change(push.repository, before, head.value().id));
    TRY_DONE(checks_.guard_upload(pusher.repository, push.repository, before, head.value().id));
  }
  return Done{};
}

// What the new commits' trees hold beyond the old ones'. Pointers were checked by the gate; one it let
// through that names nothing here stays what it is, a small text.
Result<std::vector<HeldFile>> PushRules::held_files(const git::Push& push, const HubPusher& pusher) {
  std::vector<HeldFile> held;
  for (const git::RefCommand& command : push.commands) {
    if (command.after.zero()) continue;
    auto head = push.repository.commit(command.after);
    if (!head.ok()) return fail(Reason::bad_request, fmt::format("{} must name a commit", command.ref));
    git::ObjectId before = command.before;
    if (before.zero()) {
      TRY(const auto main, publisher_.ref(pusher.repository.id, main_ref));
      before = main.value_or(git::ObjectId());
    }
    TRY(const git::DiffList diff,
        git::diff_trees(push.repository, before, head.value().id, pushed_files_max));
    if (diff.cut) return fail(Reason::body_too_large, "The push changes too many files at once");
    for (const git::DiffEntry& entry : diff.entries) {
      if (entry.kind == git::DiffKind::removed) continue;
      auto text = push.repository.read_blob(entry.after, git::lfs_pointer_bytes_max);
      const auto pointer = text.ok() ? git::parse_lfs_pointer(text.value()) : std::nullopt;
      if (!pointer) continue;
      TRY(const content::Sha256Digest sha256, content::parse_sha256(pointer->sha256));
      const Status named = uploads_.may_name(pusher.caller, sha256);
      if (!named.ok()) continue;
      auto file = content_.find(sha256);
      if (file.ok()) held.push_back({.file = file.value(), .path = entry.path});
    }
  }
  // After those with a path, which they would otherwise hide.
  for (HeldFile& file : pusher.brought()) held.push_back(std::move(file));
  return held;
}

Result<std::vector<git::RefOutcome>> PushRules::apply(const git::Push& push, git::Atomic atomic) {
  const HubPusher& pusher = pusher_of(push);
  const Storage::Lock lock = storage_.lock(pusher.repository.id);
  TRY(std::vector<HeldFile> held, held_files(push, pusher));
  const auto publication = [&](std::span<const git::RefCommand> commands) {
    Publication out;
    out.kind = "pushed";
    out.files = held;
    for (const git::RefCommand& each : commands)
      out.moves.push_back({.ref = each.ref, .before = each.before, .after = each.after});
    return out;
  };
  std::vector<git::RefOutcome> outcomes;
  if (atomic == git::Atomic::yes) {
    Status together = Done{};
    for (const git::RefCommand& each : push.commands)
      if (together.ok()) together = check_command(pusher, each);
    if (together.ok())
      together = publisher_.publish(lock, pusher.caller, pusher.repository, push.repository,
                                    publication(push.commands));
    for (const git::RefCommand& each : push.commands)
      outcomes.push_back({.ref = each.ref, .status = together});
    return outcomes;
  }
  for (const git::RefCommand& each : push.commands) {
    Status done = check_command(pusher, each);
    if (done.ok())
      done = publisher_.publish(lock, pusher.caller, pusher.repository, push.repository,
                                publication(std::span(&each, 1)));
    outcomes.push_back({.ref = each.ref, .status = std::move(done)});
  }
  return outcomes;
}

}  // namespace holdfast::repo
