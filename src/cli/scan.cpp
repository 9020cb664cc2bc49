#include "cli/scan.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/disk_source.h"
#include "cli/run_on_one.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "io/disk.h"
#include "scan/card_check.h"
#include "scan/rules_version.h"
#include "scan/scan_file.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr int depth_max = 64;
constexpr uint64_t card_bytes_max = 1 << 20;

std::string where(const scan::Finding& finding) {
  std::string out = finding.place.file;
  if (!finding.place.member.empty()) out += " (" + finding.place.member + ")";
  if (finding.place.line) out += fmt::format(":{}", *finding.place.line);
  if (finding.place.offset) out += fmt::format(" @{}", *finding.place.offset);
  return out;
}

json::object as_json(const scan::Finding& finding) {
  json::object out{{"file", finding.place.file},
                   {"topic", scan::topic_name(finding.topic)},
                   {"rule", finding.rule},
                   {"severity", scan::severity_name(finding.severity)},
                   {"reason", finding.reason}};
  if (!finding.place.member.empty()) out["member"] = finding.place.member;
  if (finding.place.line) out["line"] = *finding.place.line;
  if (finding.place.offset) out["offset"] = *finding.place.offset;
  return out;
}

// Walks what was named and tells of each file.
class Walk {
 public:
  Walk(World& world, UserFiles& files, Output output, const scan::ScanLimits& limits)
      : world_(world), files_(files), output_(output), limits_(limits) {}

  Status scan(const io::Path& path, const std::string& shown, int depth) {
    TRY(const io::Entry entry, files_.disk().stat(path));
    if (!entry.is_directory) return scan_one(path, shown);
    if (depth == depth_max) return fail(Reason::bad_request, "the folders are nested too deep");
    TRY(const auto entries, files_.disk().list(path));
    for (const io::Entry& each : entries)
      if (each.name != ".git")
        TRY_DONE(scan(path / each.name, shown.empty() ? each.name : shown + "/" + each.name, depth + 1));
    return Done{};
  }

  int end() {
    if (output_ == Output::json) {
      world_.print(codec::to_text(json::object{{"filesScanned", files_scanned_},
                                               {"worst", scan::severity_name(worst_)},
                                               {"rules", scan::rules_version},
                                               {"findings", std::move(findings_)}}) +
                   "\n");
    } else {
      world_.print(fmt::format("{} files looked at: {}\n", files_scanned_,
                               worst_ == scan::Severity::dangerous ? "dangerous findings"
                               : worst_ == scan::Severity::warning ? "findings that a person should look at"
                                                                   : "nothing dangerous found"));
    }
    return worst_ == scan::Severity::dangerous ? exit_failed : exit_done;
  }

 private:
  Status scan_one(const io::Path& path, const std::string& shown) {
    TRY(auto file, files_.disk().open(path));
    TRY(const uint64_t size, file->size());
    DiskSource source(std::move(file), size);
    TRY(const scan::FileReport report, scan::scan_file(source, shown, limits_));
    ++files_scanned_;
    for (const scan::Finding& finding : report.findings) tell(finding);
    if (shown == "README.md" || shown.ends_with("/README.md")) {
      auto text = io::read_text(files_.disk(), path, card_bytes_max);
      if (text.ok())
        for (scan::Finding finding : scan::check_card(text.value(), scan::CardKind::model).findings) {
          finding.place.file = shown;
          tell(finding);
        }
    }
    return Done{};
  }

  void tell(const scan::Finding& finding) {
    worst_ = std::max(worst_, finding.severity);
    if (output_ == Output::json)
      findings_.push_back(as_json(finding));
    else
      world_.print(fmt::format("{}  {}: {} [{}]\n", scan::severity_name(finding.severity), where(finding),
                               finding.reason, finding.rule));
  }

  World& world_;
  UserFiles& files_;
  const Output output_;
  const scan::ScanLimits limits_;
  json::array findings_;
  uint64_t files_scanned_ = 0;
  scan::Severity worst_ = scan::Severity::note;
};

Result<int> scan_path(World& world, std::string_view named, Output output, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  scan::ScanLimits limits;
  if (arguments.has("--personal")) limits.personal = scan::PersonalIn::all_text;
  Walk walk(world, files, output, limits);
  const io::Path path = files.path(named);
  TRY(const io::Entry entry, files.disk().stat(path));
  TRY_DONE(walk.scan(path, entry.is_directory ? "" : io::Path(named).filename().string(), 0));
  return walk.end();
}

constexpr std::array scan_flags = {
    FlagRow{"--json", "", "One JSON object."},
    FlagRow{"--personal", "", "Looks for personal data in all text, not in tables and lines of JSON alone."}};

}  // namespace

std::vector<Command> scan_commands() {
  return {{.words = "scan",
           .arguments = "PATH [--personal] [--json]",
           .summary =
               "Looks for pickles and templates that run code, archive traps, secrets, personal data and "
               "gaps of a card in a file "
               "or folder; exits 1 when "
               "something is dangerous.",
           .example = "holdfast scan ./my-model --json",
           .run = [](World& world, std::span<const std::string_view> words) {
             return run_on_one(world, words, scan_flags, scan_path);
           }}};
}

}  // namespace holdfast::cli
