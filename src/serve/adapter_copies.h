#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/disk.h"
#include "serve/serving_copy.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

// The files of one commit of an adapter as workers read them; removed with the last who holds it.
class AdapterCopy {
 public:
  AdapterCopy(io::Disk& disk, ServedModel adapter, io::Path folder, io::Path files)
      : disk_(disk), adapter_(std::move(adapter)), folder_(std::move(folder)), files_(std::move(files)) {}
  ~AdapterCopy() { (void)disk_.remove_tree(folder_); }
  AdapterCopy(const AdapterCopy&) = delete;
  AdapterCopy& operator=(const AdapterCopy&) = delete;

  const ServedModel& adapter() const { return adapter_; }
  std::string place() const { return disk_.absolute(files_).string(); }  // For child processes.

 private:
  io::Disk& disk_;
  const ServedModel adapter_;
  const io::Path folder_, files_;  // On the disk.
};

// Which models are adapters, and the copies of those that were asked for of late. An adapter is served by the
// worker of its base, which reads its copy when the first request comes. Safe from any thread.
class AdapterCopies {
 public:
  static constexpr size_t copies_max = 64, known_max = 4096;

  AdapterCopies(io::Disk& disk, io::Path folder, FileSource& files, WorkerStarter& starter, Random& random)
      : disk_(disk), folder_(std::move(folder)), files_(files), starter_(starter), random_(random) {}

  // What answers for a model: the base that takes adapters, or the model itself where it is none. Errors are
  // the file source's.
  Result<ServedModel> host_of(const ServedModel& model);
  // Null for what is no adapter. The starter's error for one that is not what its lock pins.
  Result<std::shared_ptr<const AdapterCopy>> get(const ServedModel& model);
  void drop(const ServedModel& adapter);
  // Those that are there, most recently asked for first; of one host.
  std::vector<ServedModel> of(const ServedModel& host) const;

 private:
  Result<std::optional<ServedModel>> base_of(const ServedModel& model);
  std::shared_ptr<const AdapterCopy> known_copy(const ServedModel& adapter);

  io::Disk& disk_;
  const io::Path folder_;
  FileSource& files_;
  WorkerStarter& starter_;
  Random& random_;
  std::mutex making_;         // One copy is made at a time.
  mutable std::mutex mutex_;  // Guards the two below.
  std::map<std::string, std::optional<ServedModel>>
      bases_;  // By the model's key; what a commit is never changes.
  std::list<std::shared_ptr<const AdapterCopy>> copies_;  // Most recently asked for first.
};

}  // namespace holdfast::serve
