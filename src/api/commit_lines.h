#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/ndjson.h"
#include "repo/commits.h"

namespace holdfast::api {

// One line of the largest regular file, in base64, with its path and keys around.
inline constexpr size_t commit_line_bytes_max = repo::regular_file_bytes_max * 4 / 3 + (64 << 10);

// Reads the body of POST …/commit/{rev} (hub-protocol.md 1.6: one JSON object a line: header, file, lfsFile,
// deletedFile, deletedFolder, copyFile) as it arrives and hands the operations to a draft. One thread; of no
// use after an error.
class CommitLines {
 public:
  explicit CommitLines(repo::CommitDraft& draft) : draft_(draft), lines_(commit_line_bytes_max) {}

  Status update(std::string_view piece);
  // The body ended. bad_request when no header came.
  Status finish();

  // What the header said; revision and kind are the caller's to fill.
  const repo::CommitTarget& target() const { return target_; }

 private:
  Status line(std::string_view text);

  repo::CommitDraft& draft_;
  codec::LineSplitter lines_;
  repo::CommitTarget target_;
  bool header_seen_ = false;
};

}  // namespace holdfast::api
