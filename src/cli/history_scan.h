#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "git/history_walk.h"
#include "git/refs.h"
#include "scan/finding.h"
#include "scan/scan_file.h"
#include "scan/source.h"

namespace holdfast::cli {

// Where the bytes behind a git-lfs pointer lie; not_found when they are not here.
using OpenLarge = std::function<Result<std::unique_ptr<scan::Source>>(const std::string& sha256)>;
// Whether a text is a token that works; to ask ends it (repo/checks.h). May be empty.
using IsLiveToken = std::function<bool(std::string_view text, std::string_view found_in)>;

struct PastFinding {
  scan::Finding finding{};
  std::string commit{};             // The oldest with these bytes at this path.
  WallTime at{};                    // When that was made.
  std::vector<std::string> refs{};  // At whose heads they still are, at most 20; none: in the history alone.
};

struct HistoryReport {
  size_t refs = 0, commits = 0, files = 0;
  uint64_t bytes = 0;
  std::vector<PastFinding> findings{};  // At most 10,000.
  std::vector<std::string> gaps{};      // What was not looked at.
  scan::Severity worst = scan::Severity::note;

  bool clean() const { return gaps.empty() && worst != scan::Severity::dangerous; }
};

struct HistoryWish {
  const git::Repository& objects;
  std::span<const git::Ref> refs;
  OpenLarge open_large{};
  IsLiveToken is_live_token{};
  scan::ScanLimits limits{};
};

// Everything that any commit of the references holds, by the rules of now: the same bytes under the same file
// name once, and what the commits' messages say. What is dangerous by a policy, a card's gaps, is not of the
// past and left out.
Result<HistoryReport> scan_history(World& world, const HistoryWish& wish);

enum class ReportForm : uint8_t { people, json, sarif };
// Prints it and gives the exit code: failed when something is dangerous or was not looked at.
int tell_history(World& world, const HistoryReport& report, ReportForm form, const std::string& repository);

}  // namespace holdfast::cli
