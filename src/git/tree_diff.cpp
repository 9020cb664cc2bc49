#include "git/tree_diff.h"

#include <git2/diff.h>

#include "git/handle.h"

namespace holdfast::git {

namespace {

struct DiffFree {
  void operator()(git_diff* raw) const { git_diff_free(raw); }
};
using DiffHandle = std::unique_ptr<git_diff, DiffFree>;

constexpr int64_t text_bytes_max = 1 << 20;

Result<DiffHandle> make_diff(const Repository& repository, const ObjectId& before, const ObjectId& after) {
  TRY(const TreeHandle old_tree, tree_of_commit(repository, before));
  TRY(const TreeHandle new_tree, tree_of_commit(repository, after));
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.max_size = text_bytes_max;
  git_diff* raw = nullptr;
  TRY_DONE(done(git_diff_tree_to_tree(&raw, repository.raw(), old_tree.get(), new_tree.get(), &options),
                "comparing revisions"));
  return DiffHandle(raw);
}

struct Text {
  std::string text;
  size_t bytes_max = 0;
};

int add_line(const git_diff_delta*, const git_diff_hunk*, const git_diff_line* line, void* payload) {
  Text& into = *static_cast<Text*>(payload);
  const bool marked = line->origin == '+' || line->origin == '-' || line->origin == ' ';
  if (into.text.size() + line->content_len + 1 > into.bytes_max) return 1;
  if (marked) into.text += line->origin;
  into.text.append(line->content, line->content_len);
  return 0;
}

}  // namespace

Result<DiffList> diff_trees(const Repository& repository, const ObjectId& before, const ObjectId& after,
                            size_t entries_max) {
  TRY(const DiffHandle diff, make_diff(repository, before, after));
  DiffList list;
  for (size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
    if (list.entries.size() == entries_max) {
      list.cut = true;
      break;
    }
    const git_diff_delta& delta = *git_diff_get_delta(diff.get(), i);
    DiffEntry entry{.path = delta.new_file.path,
                    .before = ObjectId(delta.old_file.id),
                    .after = ObjectId(delta.new_file.id)};
    if (delta.status == GIT_DELTA_ADDED) entry.kind = DiffKind::added;
    if (delta.status == GIT_DELTA_DELETED) entry.kind = DiffKind::removed;
    list.entries.push_back(std::move(entry));
  }
  return list;
}

Result<std::string> diff_text(const Repository& repository, const ObjectId& before, const ObjectId& after,
                              size_t bytes_max) {
  TRY(const DiffHandle diff, make_diff(repository, before, after));
  Text text{.text = {}, .bytes_max = bytes_max};
  const int code = git_diff_print(diff.get(), GIT_DIFF_FORMAT_PATCH, add_line, &text);
  if (code < 0) return git_error(code, "comparing revisions");
  return std::move(text.text);
}

}  // namespace holdfast::git
