#include "git/push_check.h"

#include <git2/odb.h>
#include <git2/tree.h>

#include <algorithm>
#include <string>

#include "git/handle.h"
#include "git/path_rules.h"
#include "git/tree_list.h"

namespace holdfast::git {

namespace {

constexpr size_t shown_max = 10;          // Files named in one refusal.
constexpr size_t searched_max = 200'000;  // Entries looked at to find a file's name.

struct LargeBlob {
  ObjectId id;
  uint64_t size = 0;
};

// Goes over every object that a push brought.
class Inspection {
 public:
  Inspection(const Repository& repository, const PushRules& rules) : repository_(repository), rules_(rules) {}

  Status run(const io::Path& quarantine) {
    git_odb* raw = nullptr;
    TRY_DONE(done(git_odb_new(&raw), "opening pushed objects"));
    const OdbHandle objects(raw);
    TRY_DONE(done(git_odb_add_disk_alternate(raw, quarantine.c_str()), "opening pushed objects"));
    const int code = git_odb_foreach(
        raw, [](const git_oid* id, void* self) { return static_cast<Inspection*>(self)->take(*id); }, this);
    TRY_DONE(outcome_);
    return done(std::min(code, 0), "reading pushed objects");
  }

  const std::vector<LargeBlob>& large() const { return large_; }
  NewObjects take_found() { return std::move(found_); }

 private:
  int take(const git_oid& id) {
    outcome_ = look(ObjectId(id));
    return outcome_.ok() ? 0 : 1;
  }

  Status look(const ObjectId& id) {
    if (++count_ > rules_.objects_max)
      return fail(Reason::policy_refused, "The push brings too many objects at once. Push in smaller steps.");
    TRY(const ObjectHead head, repository_.head_of(id));
    if (head.kind == ObjectKind::tree) return look_at_names(id);
    if (head.kind != ObjectKind::blob) return Done{};
    if (head.size > rules_.blob_bytes_max) {
      large_.push_back({id, head.size});
    } else if (head.size <= lfs_pointer_bytes_max) {
      TRY(const std::string text, repository_.read_blob(id, lfs_pointer_bytes_max));
      if (auto pointer = parse_lfs_pointer(text)) found_.pointers.emplace_back(id, std::move(*pointer));
    }
    return Done{};
  }

  Status look_at_names(const ObjectId& id) {
    TRY(const TreeHandle tree, look_up_tree(repository_, id));
    for (size_t i = 0; i < git_tree_entrycount(tree.get()); ++i) {
      const Status name = check_path_name(git_tree_entry_name(git_tree_entry_byindex(tree.get(), i)));
      if (!name.ok())
        return fail(Reason::policy_refused, "The push was refused: " + name.error().message + ".");
    }
    return Done{};
  }

  const Repository& repository_;
  const PushRules& rules_;
  size_t count_ = 0;
  std::vector<LargeBlob> large_;
  NewObjects found_;
  Status outcome_ = Done{};
};

// Where the blob lies in one of the pushed trees; its hash when it is not found soon.
std::string name_of(const Repository& repository, const std::vector<RefCommand>& commands,
                    const ObjectId& blob) {
  size_t searched = 0;
  for (const RefCommand& command : commands) {
    if (command.after.zero()) continue;
    ListOptions options{.depth = Depth::all, .sizes = Sizes::leave_zero};
    while (searched < searched_max) {
      const auto page = list_tree(repository, command.after, options);
      if (!page.ok()) break;
      for (const TreeEntry& entry : page.value().entries)
        if (entry.id == blob) return entry.path;
      searched += page.value().entries.size();
      if (!page.value().more) break;
      options.after = page.value().entries.back().path;
    }
  }
  return "(in an earlier commit) blob " + blob.hex();
}

std::string refusal_of_large(const Repository& repository, const std::vector<RefCommand>& commands,
                             const std::vector<LargeBlob>& large, uint64_t bytes_max) {
  std::string text = "Your push was rejected because it contains files larger than " +
                     std::to_string(bytes_max / 1'000'000) +
                     " MB.\nPlease use git-lfs (https://git-lfs.github.com) for them: git lfs track, or "
                     "git lfs migrate for commits already made.\n";
  for (size_t i = 0; i < std::min(large.size(), shown_max); ++i)
    text += "  - " + name_of(repository, commands, large[i].id) + " (" +
            std::to_string(large[i].size / 1'000'000) + " MB)\n";
  if (large.size() > shown_max) text += "  and " + std::to_string(large.size() - shown_max) + " more\n";
  return text;
}

Status check_target(const Repository& repository, const RefCommand& command) {
  const bool tag = command.ref.starts_with("refs/tags/");
  TRY(const ObjectHead head, repository.head_of(command.after));
  if (head.kind == ObjectKind::commit || (tag && head.kind == ObjectKind::tag)) return Done{};
  return fail(Reason::policy_refused, "'" + command.ref + "' must point at a commit.");
}

}  // namespace

Status check_pushed_ref(std::string_view ref) {
  constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/", requests = "refs/pr/";
  if (ref.starts_with(heads)) return check_branch_name(ref.substr(heads.size()));
  if (ref.starts_with(tags)) return check_branch_name(ref.substr(tags.size()));
  if (ref.starts_with(requests)) {
    const std::string_view number = ref.substr(requests.size());
    const bool digits =
        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && !number.empty() && number.size() <= 9 && number[0] != '0') return Done{};
  }
  return fail(
      Reason::policy_refused,
      "'" + std::string(ref) + "' is not allowed: push to refs/heads/*, refs/tags/* or refs/pr/NUMBER.");
}

Result<NewObjects> check_push(const Repository& repository, const io::Path& quarantine,
                              const std::vector<RefCommand>& commands, const PushRules& rules) {
  for (const RefCommand& command : commands) {
    TRY_DONE(check_pushed_ref(command.ref));
    if (!command.after.zero()) {
      TRY_DONE(check_target(repository, command));
    } else if (command.ref == "refs/heads/main") {
      return fail(Reason::policy_refused, "Cannot delete refs/heads/main.");
    }
  }
  if (quarantine.empty()) return NewObjects{};
  Inspection inspection(repository, rules);
  TRY_DONE(inspection.run(quarantine));
  if (!inspection.large().empty())
    return fail(Reason::policy_refused,
                refusal_of_large(repository, commands, inspection.large(), rules.blob_bytes_max));
  return inspection.take_found();
}

}  // namespace holdfast::git
