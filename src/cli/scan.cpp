#include "cli/scan.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/disk_source.h"
#include "cli/history_scan.h"
#include "cli/instance_command.h"
#include "cli/named_repo.h"
#include "cli/run_on_one.h"
#include "cli/sarif.h"
#include "cli/scan_words.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "content/hash.h"
#include "io/disk.h"
#include "repo/hub.h"
#include "repo/stored_source.h"
#include "scan/card_check.h"
#include "scan/rules_version.h"
#include "scan/scan_file.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr int depth_max = 64;
constexpr uint64_t card_bytes_max = 1 << 20, head_bytes_max = 1 << 10;

// Walks what was named and tells of each file.
class Walk {
 public:
  Walk(World& world, UserFiles& files, ReportForm form, const scan::ScanLimits& limits)
      : world_(world), files_(files), form_(form), limits_(limits) {}

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
    if (form_ == ReportForm::sarif) {
      std::vector<SarifFinding> all;
      for (const scan::Finding& each : findings_) all.push_back({each});
      world_.print(codec::to_text(sarif_log(all, {})) + "\n");
    } else if (form_ == ReportForm::json) {
      json::array all;
      for (const scan::Finding& each : findings_) all.push_back(finding_json(each));
      world_.print(codec::to_text(json::object{{"filesScanned", files_scanned_},
                                               {"worst", scan::severity_name(worst_)},
                                               {"rules", scan::rules_version},
                                               {"findings", std::move(all)}}) +
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
    if (form_ != ReportForm::people)
      findings_.push_back(finding);
    else
      world_.print(fmt::format("{}  {}: {} [{}]\n", scan::severity_name(finding.severity),
                               finding_place(finding), finding.reason, finding.rule));
  }

  World& world_;
  UserFiles& files_;
  const ReportForm form_;
  const scan::ScanLimits limits_;
  std::vector<scan::Finding> findings_;
  uint64_t files_scanned_ = 0;
  scan::Severity worst_ = scan::Severity::note;
};

ReportForm form_of(Output output, const Arguments& arguments) {
  if (arguments.has("--sarif")) return ReportForm::sarif;
  return output == Output::json ? ReportForm::json : ReportForm::people;
}

scan::ScanLimits limits_of(const Arguments& arguments) {
  scan::ScanLimits limits;
  if (arguments.has("--personal")) limits.personal = scan::PersonalIn::all_text;
  return limits;
}

// A clone of a person: its objects lie in the folder or in .git, those behind git-lfs in lfs/objects beside
// them.
Result<int> scan_clone(World& world, UserFiles& files, const io::Path& path, ReportForm form,
                       const Arguments& arguments) {
  const auto inner = files.disk().stat(path / ".git");
  if (inner.ok() && !inner.value().is_directory)
    return fail(Reason::bad_request, "its .git is a file: name the repository that this is a work tree of");
  const io::Path folder = files.disk().absolute(inner.ok() ? path / ".git" : path);
  TRY(const git::Repository objects, git::Repository::open(folder));
  TRY(std::vector<git::Ref> refs, git::list_refs(objects));
  if (auto head = io::read_text(files.disk(), folder / "HEAD", head_bytes_max); head.ok()) {
    // Where it is no branch, HEAD itself holds on to commits.
    const auto detached =
        git::ObjectId::parse(std::string_view(head.value()).substr(0, head.value().find('\n')));
    if (detached.ok()) refs.push_back({"HEAD", detached.value()});
  }
  const auto open_large = [&](const std::string& sha256) -> Result<std::unique_ptr<scan::Source>> {
    TRY(auto file,
        files.disk().open(folder / "lfs/objects" / sha256.substr(0, 2) / sha256.substr(2, 2) / sha256));
    TRY(const uint64_t size, file->size());
    return std::unique_ptr<scan::Source>(std::make_unique<DiskSource>(std::move(file), size));
  };
  TRY(const HistoryReport report,
      scan_history(
          world,
          {.objects = objects, .refs = refs, .open_large = open_large, .limits = limits_of(arguments)}));
  return tell_history(world, report, form, path.lexically_normal().filename().string());
}

Result<int> scan_path(World& world, std::string_view named, Output output, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  const ReportForm form = form_of(output, arguments);
  const io::Path path = files.path(named);
  TRY(const io::Entry entry, files.disk().stat(path));
  if (arguments.has("--history")) return scan_clone(world, files, path, form, arguments);
  Walk walk(world, files, form, limits_of(arguments));
  TRY_DONE(walk.scan(path, entry.is_directory ? "" : io::Path(named).filename().string(), 0));
  return walk.end();
}

// On the instance itself, beside a running server: every revision that any reference of the hub reaches.
Result<int> scan_stored(World& world, const Arguments& arguments) {
  TRY(const exchange::RemoteRepo named, repo_of(arguments, arguments.positionals()[0]));
  TRY(OpenedInstance opened, open_instance(world, arguments));
  const auto hub = open_hub(opened, world);
  const auto type = repo::type_of_plural(exchange::remote_plural(named.type));
  const size_t slash = named.name.find('/');
  TRY(const auto repository,
      hub->repositories.find(type.value_or(repo::RepoType::model), named.name.substr(0, slash),
                             named.name.substr(slash + 1)));
  if (!repository) return fail(Reason::repo_not_found, fmt::format("there is no {} here", named.name));
  TRY(const git::Repository objects, hub->storage.open(repository->id));
  TRY(const std::vector<git::Ref> refs, hub->publisher.refs(repository->id));
  Instance& instance = *opened.instance;
  const auto open_large = [&](const std::string& sha256) -> Result<std::unique_ptr<scan::Source>> {
    TRY(const content::Sha256Digest digest, content::parse_sha256(sha256));
    TRY(const content::FileInfo file, instance.content().find(digest));
    TRY(auto reader, instance.content().open(file.hash));
    return std::unique_ptr<scan::Source>(std::make_unique<repo::StoredSource>(std::move(reader)));
  };
  const auto is_live = [&](std::string_view text, std::string_view found_in) {
    const auto known = instance.tokens().find_value(text);
    return known.ok() && known.value() && instance.tokens().revoke_leaked(known.value()->id, found_in).ok();
  };
  TRY(const HistoryReport report, scan_history(world, {.objects = objects,
                                                       .refs = refs,
                                                       .open_large = open_large,
                                                       .is_live_token = is_live,
                                                       .limits = limits_of(arguments)}));
  return tell_history(world, report, form_of(output_of(arguments), arguments), repository->full_name());
}

constexpr FlagRow sarif_flag{"--sarif", "", "One log in SARIF 2.1.0, as code hosts and viewers read it."};
constexpr FlagRow personal_flag{
    "--personal", "", "Looks for personal data in all text, not in tables and lines of JSON alone."};
constexpr std::array scan_flags = {
    FlagRow{"--json", "", "One JSON object."}, sarif_flag, personal_flag,
    FlagRow{"--history", "", "PATH is a git repository: all that any commit of any reference holds."}};

}  // namespace

std::vector<Command> scan_commands() {
  return {
      {.words = "scan",
       .arguments = "PATH [--personal] [--history] [--json|--sarif]",
       .summary = "Looks for pickles and templates that run code, archive traps, secrets, personal data and "
                  "gaps of a card in a file "
                  "or folder; exits 1 when "
                  "something is dangerous.",
       .example = "holdfast scan ./my-model --json",
       .run =
           [](World& world, std::span<const std::string_view> words) {
             return run_on_one(world, words, scan_flags, scan_path);
           }},
      instance_command(
          "repo scan", "REPO [--repo-type TYPE] [--personal] [--data DIR] [--json|--sarif]",
          "Looks anew through everything that any revision of a repository of this hub holds, by the "
          "rules of now; tokens of this hub that are found are revoked.",
          "holdfast repo scan lab/engine --data /srv/holdfast",
          {type_flag, personal_flag, sarif_flag, data_flag, database_flag, json_flag}, 1, scan_stored)};
}

}  // namespace holdfast::cli
