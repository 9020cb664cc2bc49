#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "io/disk.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

inline constexpr std::string_view lock_name = "holdfast.lock";
inline constexpr size_t lock_bytes_max = 4 << 20;

// Everything that a model's answers follow from, by digest (docs/formats/holdfast-lock.md). Texts that are
// empty pin nothing.
struct Lock {
  std::string model;                             // "ns/name@commit" that the folder was fetched from.
  std::string dataset;                           // "ns/name@commit" that it was judged on.
  std::string tokenizer, prompt;                 // SHA-256, of tokenizer.json and of a file of one's choice.
  std::string runtime;                           // Program, version and instruction set.
  std::string dtype;                             // Of the weights, as config.json says.
  std::map<std::string, std::string> libraries;  // Version and build by name; none: they are not pinned.
  std::map<std::string, std::string> files;  // SHA-256 by path: configuration, tokenizer, templates, weights.

  friend bool operator==(const Lock&, const Lock&) = default;
};

std::string lock_text(const Lock& lock);  // JSON, in lines.
Result<Lock> parse_lock(std::string_view text);

// What models run on here.
struct Runtime {
  std::string name;  // "holdfast 1.2 x86-64-v3"
  std::map<std::string, std::string> libraries{};
};

// What is there now: the served files of a folder, hashed. The three texts that a folder does not know stay
// empty.
Result<Lock> look_at(io::Disk& disk, const io::Path& folder, const Runtime& runtime);
// "tokenizer.json is a3…, the lock says 9f…": one line for each thing that the lock pins and that is another,
// missing, or there beside it. Only what both know is compared of model, dataset and prompt.
std::vector<std::string> differences(const Lock& lock, const Lock& found);

// A starter that holds every model whose folder has a holdfast.lock to it: model_unsupported with all
// differences, and no worker, where there is one; the same of an adapter's folder. What is refused for its
// tokenizer is counted. Borrows both.
std::unique_ptr<WorkerStarter> hold_to_locks(WorkerStarter& starter, Runtime runtime, Metrics& metrics);

}  // namespace holdfast::serve
