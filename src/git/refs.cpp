#include "git/refs.h"

#include <git2/errors.h>
#include <git2/refs.h>

#include <algorithm>
#include <map>

#include "git/handle.h"
#include "git/path_rules.h"

namespace holdfast::git {

namespace {

Error moved(const std::string& name) {
  return fail(Reason::stale_parent, "the reference '" + name + "' has moved meanwhile");
}

Status delete_ref(const Repository& repository, const std::string& name,
                  const std::optional<ObjectId>& expected) {
  git_reference* raw = nullptr;
  const int code = git_reference_lookup(&raw, repository.raw(), name.c_str());
  if (code == GIT_ENOTFOUND) {
    if (expected && !expected->zero()) return moved(name);
    return Done{};
  }
  TRY_DONE(done(code, "reading a reference"));
  const RefHandle ref(raw);
  const git_oid* target = git_reference_target(raw);
  if (expected && (target == nullptr || ObjectId(*target) != *expected)) return moved(name);
  return done(git_reference_delete(raw), "deleting a reference");
}

}  // namespace

Result<std::vector<Ref>> list_refs(const Repository& repository) {
  git_reference_iterator* raw = nullptr;
  TRY_DONE(done(git_reference_iterator_new(&raw, repository.raw()), "listing references"));
  const RefIteratorHandle iterator(raw);
  std::vector<Ref> refs;
  while (true) {
    git_reference* next = nullptr;
    const int code = git_reference_next(&next, raw);
    if (code == GIT_ITEROVER) break;
    TRY_DONE(done(code, "listing references"));
    const RefHandle ref(next);
    if (refs.size() == refs_max) return fail(Code::too_large, "the repository has too many references");
    if (const git_oid* target = git_reference_target(next))
      refs.push_back({git_reference_name(next), ObjectId(*target)});
  }
  std::sort(refs.begin(), refs.end(), [](const Ref& a, const Ref& b) { return a.name < b.name; });
  return refs;
}

Result<std::optional<ObjectId>> read_ref(const Repository& repository, std::string_view name) {
  TRY_DONE(check_ref_name(name));
  git_oid target;
  const int code = git_reference_name_to_id(&target, repository.raw(), std::string(name).c_str());
  if (code == GIT_ENOTFOUND) return std::optional<ObjectId>();
  TRY_DONE(done(code, "reading a reference"));
  return std::optional(ObjectId(target));
}

Status set_ref(const Repository& repository, std::string_view name, const ObjectId& target,
               std::optional<ObjectId> expected) {
  TRY_DONE(check_ref_name(name));
  const std::string text(name);
  if (target.zero()) return delete_ref(repository, text, expected);
  const git_oid id = target.to_git();
  git_reference* raw = nullptr;
  int code = 0;
  if (expected && !expected->zero()) {
    const git_oid before = expected->to_git();
    code = git_reference_create_matching(&raw, repository.raw(), text.c_str(), &id, 1, &before, nullptr);
  } else {
    code = git_reference_create(&raw, repository.raw(), text.c_str(), &id, expected ? 0 : 1, nullptr);
  }
  const RefHandle ref(raw);
  if (expected && (code == GIT_EEXISTS || code == GIT_EMODIFIED || code == GIT_ENOTFOUND)) return moved(text);
  if (code == GIT_EEXISTS)
    return fail(Reason::already_exists, "the reference '" + text + "' would lie within another or hold one");
  return done(code, "setting a reference");
}

Result<size_t> project_refs(const Repository& repository, const std::vector<Ref>& truth) {
  TRY(const std::vector<Ref> present, list_refs(repository));
  std::map<std::string, ObjectId> before, wanted;
  for (const Ref& ref : present) before[ref.name] = ref.target;
  for (const Ref& ref : truth) wanted[ref.name] = ref.target;
  size_t changed = 0;
  // Deletions first: a name may have become a folder of names.
  for (const auto& [name, target] : before) {
    if (wanted.contains(name)) continue;
    TRY_DONE(set_ref(repository, name, ObjectId()));
    ++changed;
  }
  for (const auto& [name, target] : wanted) {
    const auto there = before.find(name);
    if (there != before.end() && there->second == target) continue;
    TRY_DONE(set_ref(repository, name, target));
    ++changed;
  }
  return changed;
}

}  // namespace holdfast::git
