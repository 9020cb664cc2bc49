#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "identity/caller.h"
#include "repo/repository.h"
#include "scan/personal.h"

namespace holdfast::content {
class Store;
}

namespace holdfast::repo {

struct Hub;

struct MaskingWish {
  std::string revision = "main";  // What is looked at.
  std::string into = "masked";  // The branch that the result becomes the head of; made when it is not there.
  scan::MaskWith with = scan::MaskWith::kind;
};

struct MaskedFile {
  std::string path;
  uint64_t findings = 0;  // That were masked.
};

struct MaskingReport {
  git::ObjectId from, commit;        // The same when there was nothing to mask.
  uint64_t files = 0, findings = 0;  // Looked into; masked in all of them.
  uint64_t left_findings = 0;        // Of the scan of what was written: 0.
  std::vector<MaskedFile> masked{};  // At most 1,000 are listed.
  std::vector<std::pair<std::string, std::string>>
      unread{};  // Path, with ": part" where it is a part of a file, and why; likewise.
};

// Masks what is personal (scan/personal.h) in every text of a revision, tables by their columns, in the
// columns of Parquet files and of zip and tar archives (masked_content.h), and commits the result; what was
// there stays in the history. What is not looked into is named. Made again, it finds the commit it made
// before. `key` makes equal values equal under MaskWith::hash. Runs for as long as that takes; rights are
// checked where the commit is made.
Result<MaskingReport> mask_revision(Hub& hub, content::Store& content, const identity::Caller& caller,
                                    const Repository& repository, const MaskingWish& wish,
                                    const std::string& key, const std::stop_token& stop);

}  // namespace holdfast::repo
