#pragma once

#include <array>
#include <mutex>

#include "base/result.h"
#include "git/repository.h"
#include "io/disk.h"
#include "repo/repository.h"

namespace holdfast::repo {

// Where the git side of repositories lies: one bare repository each, named by its id so that moving and
// renaming touch no file. Also keeps the locks under which refs are decided: one writer a repository at a
// time in this process (other processes are held off by the compare-and-set in SQL). Safe from any thread.
class Storage {
 public:
  explicit Storage(io::Disk& disk) : disk_(disk) {}

  // Proof that the holder decides about this repository's refs.
  class Lock {
   public:
    RepoId repository() const { return repository_; }

   private:
    friend class Storage;
    Lock(RepoId repository, std::mutex& mutex) : repository_(repository), held_(mutex) {}
    RepoId repository_;
    std::unique_lock<std::mutex> held_;
  };
  Lock lock(RepoId repository);

  io::Path folder(RepoId repository) const;  // Absolute.
  Result<git::Repository> create(RepoId repository);
  Result<git::Repository> open(RepoId repository) const;  // data_corrupt when the folder is not there.
  Status remove(RepoId repository);

 private:
  io::Path relative(RepoId repository) const;

  io::Disk& disk_;
  std::array<std::mutex, 256> locks_;  // By id; two repositories may share one.
};

}  // namespace holdfast::repo
