#include "git/object_check.h"

#include "process/run.h"

namespace holdfast::git {
namespace {

constexpr size_t complaints_max = 1000;

}  // namespace

Result<std::vector<std::string>> check_objects(const io::Path& folder, const io::Path& git_program,
                                               const Clock& clock) {
  process::SpawnOptions options{.program = git_program.string()};
  options.arguments = {"--git-dir=" + folder.string(),
                       "fsck",
                       "--full",
                       "--strict",
                       "--no-dangling",
                       "--no-reflogs",
                       "--no-progress"};
  options.environment = {{"LC_ALL", "C"}, {"GIT_CONFIG_NOSYSTEM", "1"}, {"HOME", "/nonexistent"}};
  process::RunOptions how;
  how.timeout = std::chrono::hours(6);
  TRY(process::Ran ran, process::run(options, how, clock));
  std::vector<std::string> complaints;
  const std::string text = ran.output + ran.errors;
  size_t begin = 0;
  while (begin < text.size() && complaints.size() < complaints_max) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    // A repository without commits, or whose refs live in SQL only, is not damaged.
    if (!line.empty() && !line.starts_with("notice:")) complaints.push_back(std::move(line));
    begin = end + 1;
  }
  if (complaints.empty() && !ran.exit.clean())
    complaints.push_back("git fsck ended with status " + std::to_string(ran.exit.code));
  return complaints;
}

}  // namespace holdfast::git
