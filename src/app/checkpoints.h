#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "identity/audit.h"
#include "identity/checkpoint.h"
#include "io/disk.h"
#include "sql/database.h"

namespace holdfast::app {

// Writes signed checkpoints of the audit log into a folder outside of the data, where whoever owns the
// database cannot reach them: checkpoint-NUMBER.json, whenever the log has grown, at most once a minute. One
// thread.
class CheckpointWriter {
 public:
  struct Parts {
    const identity::Audit& audit;
    sql::Database& database;
    identity::CheckpointKey key;
    const Clock& clock;
  };
  static Result<std::unique_ptr<CheckpointWriter>> open(const std::string& folder, Parts parts);
  Status write_if_grown();

 private:
  CheckpointWriter(std::unique_ptr<io::Disk> folder, Parts parts)
      : folder_(std::move(folder)), parts_(std::move(parts)) {}

  std::unique_ptr<io::Disk> folder_;
  Parts parts_;
  int64_t written_ = -1;
  std::chrono::milliseconds next_{};
};

}  // namespace holdfast::app
