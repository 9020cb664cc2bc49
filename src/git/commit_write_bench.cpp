// What commits over HTTP cost on this disk, fsync included. Usage: commit_write_bench FOLDER [gather]
// (removed afterwards). Prints one JSON line a measurement.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "git/commit_log.h"
#include "git/commit_write.h"
#include "git/tree_list.h"

using namespace holdfast;
using namespace holdfast::git;

namespace {

const SystemClock system_clock;

template <class Work>
void measure(const char* name, int count, Work work) {
  const auto began = system_clock.now();
  work();
  std::printf("{\"bench\":\"%s\",\"count\":%d,\"milliseconds\":%lld}\n", name, count,
              static_cast<long long>((system_clock.now() - began).count()));
}

ObjectId commit(const Repository& repository, std::vector<ObjectId> parents,
                const std::vector<Change>& changes) {
  const Signature who{.name = "Ada", .email = "ada@example.org", .time = system_clock.wall()};
  const ObjectId base = parents.empty() ? ObjectId() : parents[0];
  return write_commit(repository, {.tree = edit_tree(repository, base, changes).value(),
                                   .parents = std::move(parents),
                                   .author = who,
                                   .committer = who,
                                   .message = "bench"})
      .value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s FOLDER [gather]\n", argv[0]), 2;
  const bool gathers = argc > 2;
  const std::filesystem::path folder(argv[1]);
  Repository repository = Repository::init(folder).value();
  if (gathers) CHECK(repository.gather().ok());
  ObjectId head;
  measure("commit_of_1000_files", 1000, [&] {
    std::vector<Change> changes;
    for (int i = 0; i < 1000; ++i) {
      const std::string text(2000, static_cast<char>('a' + i % 26));
      changes.push_back(PutFile{.path = "d" + std::to_string(i % 20) + "/f" + std::to_string(i),
                                .blob = repository.write_blob(as_bytes(text + std::to_string(i))).value()});
    }
    head = commit(repository, {}, changes);
  });
  measure("commits_of_one_file", 300, [&] {
    for (int i = 0; i < 300; ++i)
      head = commit(repository, {head},
                    {PutFile{.path = "d1/changing",
                             .blob = repository.write_blob(as_bytes(std::to_string(i))).value()}});
  });
  measure("opened_and_listed_recursively", 100, [&] {
    for (int i = 0; i < 100; ++i) {
      const Repository opened = Repository::open(folder).value();
      CHECK(list_tree(opened, head, {.depth = Depth::all, .entries_max = 2000}).value().entries.size() ==
            1021);
    }
  });
  measure("last_changes_of_a_folder", 1, [&] {
    std::vector<std::string> paths;
    const TreePage page = list_tree(repository, head, {.folder = "d2"}).value();
    for (const TreeEntry& entry : page.entries) paths.push_back(entry.path);
    CHECK(last_changes(repository, head, paths).value().size() == paths.size());
  });
  std::filesystem::remove_all(folder);
  return 0;
}
