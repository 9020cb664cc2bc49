#pragma once

#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "cli/worker_line.h"
#include "io/disk.h"
#include "serve/worker_protocol.h"
#include "tensor/threads.h"

namespace holdfast::cli {

// The half of `holdfast worker` that holds a model that writes: answers are written beside each other, asks
// for vectors are refused. Borrows the disk it was opened on. One thread at a time.
class WriterWorker {
 public:
  virtual ~WriterWorker() = default;
  virtual serve::WorkerFacts facts() const = 0;
  // Until the server closes its end.
  virtual Status work(WorkerLine& line, const Clock& clock, Random& random,
                      tensor::Threads& threads) const = 0;
};

// Null where the folder holds a model for the text tasks. A model that writes is what config.json names, or a
// GGUF file where there are no other weights, of which the first by name is taken. `adapters`: whether
// requests may name some. Packed layers are kept in the folder, which nobody else changes.
Result<std::unique_ptr<const WriterWorker>> open_writer(io::Disk& folder, bool adapters, Random& random);

}  // namespace holdfast::cli
