#include "cli/scan.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/disk_source.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "io/disk.h"
#include "scan/card_check.h"
#include "scan/license.h"
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

std::string_view yes_no(scan::Commercial value) {
  return value == scan::Commercial::yes ? "yes" : value == scan::Commercial::no ? "no" : "conditional";
}
std::string_view share_alike_name(scan::ShareAlike value) {
  switch (value) {
    case scan::ShareAlike::none:
      return "none";
    case scan::ShareAlike::weak:
      return "weak";
    case scan::ShareAlike::strong:
      return "strong";
    case scan::ShareAlike::network:
      return "network";
  }
  return "";
}

Result<int> explain(World& world, std::string_view expression, Output output, const Arguments&) {
  TRY(const auto sets, scan::parse_license_expression(expression));
  json::array ids;
  bool known = true;
  for (const auto& set : sets)
    for (const std::string& id : set) {
      const scan::LicenseTerms* terms = scan::find_license(id);
      known = known && terms != nullptr;
      json::object row{{"id", id}, {"known", terms != nullptr}};
      if (terms != nullptr) {
        row["family"] = terms->family;
        row["commercial"] = yes_no(terms->commercial);
        row["attribution"] = terms->attribution;
        row["derivativesShared"] = terms->derivatives == scan::Derivatives::yes;
        row["shareAlike"] = share_alike_name(terms->share_alike);
        row["useRestrictions"] = terms->use_restrictions;
        row["researchOnly"] = terms->research_only;
        row["condition"] = terms->condition;
        row["clause"] = terms->clause;
      }
      if (output == Output::people) {
        world.print(fmt::format("{}\n", id));
        if (terms == nullptr) world.print("  nothing is known of this licence: a person must decide\n");
        for (const auto& [key, value] : row)
          if (key != "id" && key != "known" && !(value.is_string() && value.get_string().empty()))
            world.print(
                fmt::format("  {:18} {}\n", std::string_view(key),
                            value.is_string() ? std::string(value.get_string()) : codec::to_text(value)));
      }
      ids.push_back(std::move(row));
    }
  if (output == Output::json)
    world.print(codec::to_text(json::object{{"expression", expression},
                                            {"known", known},
                                            {"licenses", std::move(ids)},
                                            {"notice", scan::not_legal_advice}}) +
                "\n");
  else
    world.print(fmt::format("{}\n", scan::not_legal_advice));
  return known ? exit_done : exit_failed;
}

constexpr std::array scan_flags = {
    FlagRow{"--json", "", "One JSON object."},
    FlagRow{"--personal", "", "Looks for personal data in all text, not in tables and lines of JSON alone."}};
constexpr std::array explain_flags = {FlagRow{"--json", "", "One JSON object."}};

template <class Work>
int run(World& world, std::span<const std::string_view> words, std::span<const FlagRow> flags, Work work) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const Result<int> done = work(world, arguments.value().positionals()[0], output, arguments.value());
  return done.ok() ? done.value() : report(world, done.error(), output);
}

}  // namespace

std::vector<Command> scan_commands() {
  return {
      {.words = "scan",
       .arguments = "PATH [--personal] [--json]",
       .summary = "Looks for pickles and templates that run code, archive traps, secrets, personal data and "
                  "gaps of a card in a file "
                  "or folder; exits 1 when "
                  "something is dangerous.",
       .example = "holdfast scan ./my-model --json",
       .run =
           [](World& world, std::span<const std::string_view> words) {
             return run(world, words, scan_flags, scan_path);
           }},
      {.words = "license explain",
       .arguments = "EXPRESSION [--json]",
       .summary = "Says what is known of the licences of an SPDX expression or a card's id, and on which "
                  "clause it rests.",
       .example = "holdfast license explain \"apache-2.0 OR cc-by-nc-4.0\"",
       .run = [](World& world, std::span<const std::string_view> words) {
         return run(world, words, explain_flags, explain);
       }}};
}

}  // namespace holdfast::cli
