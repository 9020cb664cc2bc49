#include "cli/history_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <unordered_map>

#include "cli/progress.h"
#include "cli/sarif.h"
#include "cli/scan_words.h"
#include "codec/json.h"
#include "git/commit_log.h"
#include "git/lfs_pointer.h"
#include "git/tree_list.h"
#include "scan/rules_version.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view message_name = "(message)";  // Of a commit, where others name a file.
constexpr uint64_t blob_bytes_max = 256 << 20;
constexpr size_t findings_kept_max = 10'000, refs_named_max = 20, refs_looked_max = 1000, gaps_max = 100;

class HistoryScan {
 public:
  HistoryScan(World& world, const HistoryWish& wish) : wish_(wish), progress_(world, "looked through") {}

  Result<HistoryReport> run() {
    std::vector<git::ObjectId> tips;
    for (const git::Ref& ref : wish_.refs) tips.push_back(ref.target);
    TRY(git::History history, git::read_history(wish_.objects, tips, {}, [&](size_t read) {
          progress_.say(fmt::format("{} commits", read));
        }));
    report_.refs = wish_.refs.size();
    report_.commits = history.commits.size();
    report_.gaps = std::move(history.gaps);
    uint64_t total = 0;
    for (const git::PastFile& file : history.files)
      if (const auto head = wish_.objects.head_of(file.blob); head.ok()) total += head.value().size;
    for (const git::PastFile& file : history.files) {
      TRY_DONE(look_at(file));
      ++report_.files;
      progress_.bytes(looked_, std::max(total + large_, looked_));
    }
    for (const git::ObjectId& commit : history.commits) TRY_DONE(look_at_message(commit));
    progress_.end();
    report_.bytes = looked_;
    return std::move(report_);
  }

 private:
  Status look_at(const git::PastFile& file) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    // A verdict depends on the bytes and on what the file is called, not on the folder it lies in.
    const auto [known, fresh] = known_.try_emplace(file.blob.hex() + name);
    if (fresh) {
      TRY(known->second, findings_of(file));
    }
    if (known->second.empty()) return Done{};
    add(known->second, file.path, file.commit, file.at, refs_with(file));
    return Done{};
  }

  // What people write about a change is read by all who may read the change.
  Status look_at_message(const git::ObjectId& id) {
    TRY(const git::Commit commit, wish_.objects.commit(id));
    const auto source = scan::memory_source(as_bytes(commit.message));
    TRY(const std::vector<scan::Finding> found, findings_in(*source, std::string(message_name)));
    if (!found.empty()) add(found, std::string(message_name), id, commit.committer.time, refs_over(id));
    return Done{};
  }

  void add(const std::vector<scan::Finding>& findings, const std::string& path, const git::ObjectId& commit,
           WallTime at, const std::vector<std::string>& refs) {
    for (const scan::Finding& each : findings) {
      report_.worst = std::max(report_.worst, each.severity);
      if (report_.findings.size() == findings_kept_max) {
        gap(fmt::format("more than {} findings", findings_kept_max));
        return;
      }
      PastFinding found{each, commit.hex(), at, refs};
      found.finding.place.file = path;
      report_.findings.push_back(std::move(found));
    }
  }

  Result<std::vector<scan::Finding>> findings_of(const git::PastFile& file) {
    const auto text = wish_.objects.read_blob(file.blob, blob_bytes_max);
    if (!text.ok()) {
      gap(fmt::format("{} at {}: {}", file.path, file.commit.hex().substr(0, 12), text.error().message));
      return std::vector<scan::Finding>();
    }
    looked_ += text.value().size();
    std::unique_ptr<scan::Source> source = scan::memory_source(as_bytes(text.value()));
    if (const auto pointer = git::parse_lfs_pointer(text.value())) {
      auto large = wish_.open_large(pointer->sha256);
      if (!large.ok()) {
        gap(fmt::format("{} at {}: its {} bytes behind git-lfs are not here", file.path,
                        file.commit.hex().substr(0, 12), pointer->size));
        return std::vector<scan::Finding>();
      }
      source = std::move(large).value();
      large_ += source->size();
      looked_ += source->size();
    }
    return findings_in(*source, file.path);
  }

  Result<std::vector<scan::Finding>> findings_in(scan::Source& source, const std::string& path) {
    TRY(scan::FileReport report, scan::scan_file(source, path, wish_.limits));
    bool live = false;
    if (wish_.is_live_token)
      for (const std::string& token : report.tokens) live = wish_.is_live_token(token, path) || live;
    if (live)
      report.findings.insert(report.findings.begin(),
                             {.topic = scan::Topic::secret,
                              .rule = "secret.live-token",
                              .severity = scan::Severity::dangerous,
                              .place = {.file = path},
                              .reason = "holds a token of this hub that worked until now: it is revoked"});
    return std::move(report.findings);
  }

  // Whose heads still have these bytes there.
  std::vector<std::string> refs_with(const git::PastFile& file) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(wish_.refs.size(), refs_looked_max) && names.size() < refs_named_max;
         ++i) {
      const git::Ref& ref = wish_.refs[i];
      const auto commit = wish_.objects.commit(ref.target);
      if (!commit.ok()) continue;
      const auto entry = git::find_entry(wish_.objects, commit.value().id, file.path);
      if (entry.ok() && entry.value() && entry.value()->id == file.blob) names.push_back(ref.name);
    }
    return names;
  }

  // Whose heads stand on this commit.
  std::vector<std::string> refs_over(const git::ObjectId& commit) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(wish_.refs.size(), refs_looked_max) && names.size() < refs_named_max;
         ++i) {
      const auto head = wish_.objects.commit(wish_.refs[i].target);
      if (!head.ok()) continue;
      const auto above = git::is_ancestor(wish_.objects, commit, head.value().id);
      if (above.ok() && above.value()) names.push_back(wish_.refs[i].name);
    }
    return names;
  }

  void gap(std::string what) {
    if (report_.gaps.size() < gaps_max) report_.gaps.push_back(std::move(what));
  }

  const HistoryWish& wish_;
  Progress progress_;
  HistoryReport report_;
  std::unordered_map<std::string, std::vector<scan::Finding>> known_;
  uint64_t looked_ = 0, large_ = 0;
};

json::object past_json(const PastFinding& found) {
  json::object out{{"commit", found.commit}, {"at", format_time(found.at)}};
  out["refs"] = json::array(found.refs.begin(), found.refs.end());
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Result<HistoryReport> scan_history(World& world, const HistoryWish& wish) {
  return HistoryScan(world, wish).run();
}

int tell_history(World& world, const HistoryReport& report, ReportForm form, const std::string& repository) {
  if (form == ReportForm::sarif) {
    std::vector<SarifFinding> findings;
    for (const PastFinding& each : report.findings) findings.push_back({each.finding, past_json(each)});
    world.print(codec::to_text(sarif_log(findings, report.gaps)) + "\n");
  } else if (form == ReportForm::json) {
    json::array findings;
    for (const PastFinding& each : report.findings) {
      json::object one = finding_json(each.finding);
      for (const auto& [key, value] : past_json(each)) one[key] = value;
      findings.push_back(std::move(one));
    }
    world.print(codec::to_text(json::object{{"repository", repository},
                                            {"refs", report.refs},
                                            {"commits", report.commits},
                                            {"filesScanned", report.files},
                                            {"bytes", report.bytes},
                                            {"worst", scan::severity_name(report.worst)},
                                            {"rules", scan::rules_version},
                                            {"complete", report.gaps.empty()},
                                            {"gaps", json::array(report.gaps.begin(), report.gaps.end())},
                                            {"findings", std::move(findings)}}) +
                "\n");
  } else {
    for (const PastFinding& each : report.findings)
      world.print(fmt::format("{}  {}: {} [{}] since {} of {}, {}\n",
                              scan::severity_name(each.finding.severity), finding_place(each.finding),
                              each.finding.reason, each.finding.rule, each.commit.substr(0, 12),
                              format_time(each.at).substr(0, 10),
                              each.refs.empty() ? "in the history alone" : "still at " + joined(each.refs)));
    for (const std::string& gap : report.gaps) world.print(fmt::format("not looked at: {}\n", gap));
    world.print(fmt::format(
        "{} commits of {} references, {} files looked at: {}\n", report.commits, report.refs, report.files,
        report.worst == scan::Severity::dangerous ? "dangerous findings"
        : report.worst == scan::Severity::warning ? "findings that a person should look at"
                                                  : "nothing dangerous found"));
  }
  return report.clean() ? exit_done : exit_failed;
}

}  // namespace holdfast::cli
