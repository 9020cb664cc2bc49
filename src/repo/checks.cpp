#include "repo/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "content/store.h"
#include "git/lfs_pointer.h"
#include "git/tree_diff.h"
#include "git/tree_list.h"
#include "repo/browser.h"
#include "repo/card.h"
#include "repo/commits.h"
#include "repo/repositories.h"
#include "repo/stored_source.h"
#include "scan/license_file.h"
#include "scan/rules_version.h"
#include "scan/scan_file.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr size_t changed_files_max = 100'000;
constexpr size_t listed_files_max = 1000;  // With findings, in one verdict.
constexpr size_t readme_bytes_max = 1 << 20;
constexpr size_t license_parts_max = 64;  // Of a chain.

// What of a name changes what is looked for.
std::string suffix_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "";
  // Some JSON is a template's or a model's configuration by its whole name; what is packed has two endings.
  static constexpr auto by_name =
      std::to_array<std::string_view>({".json", ".gz", ".xz", ".bz2", ".zst", ".lz4"});
  const bool whole = std::find(by_name.begin(), by_name.end(), name.substr(dot)) != by_name.end();
  return std::string(whole ? name.substr(name.size() > 64 ? name.size() - 64 : 0) : name.substr(dot, 20));
}

// Names in archives and pickles are any bytes.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 300)) out.push_back(c > 31 && c < 127 ? c : '?');
  return out;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::array& findings_of(const json::object& report) { return report.at("findings").as_array(); }

json::object describe(const scan::Finding& finding) {
  json::object out{{"topic", scan::topic_name(finding.topic)},
                   {"rule", finding.rule},
                   {"severity", scan::severity_name(finding.severity)},
                   {"reason", finding.reason}};
  if (!finding.place.member.empty()) out["member"] = printable(finding.place.member);
  if (finding.place.offset) out["offset"] = *finding.place.offset;
  if (finding.place.line) out["line"] = *finding.place.line;
  return out;
}

// A text, or the texts of a list.
std::vector<std::string> texts_of(const json::object& card, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = card.if_contains(key);
  if (value != nullptr && value->is_string()) out.emplace_back(value->get_string());
  if (value != nullptr && value->is_array())
    for (const json::value& each : value->get_array())
      if (each.is_string()) out.emplace_back(each.get_string());
  return out;
}

// What the card of a repository says that everybody may see; empty for others.
struct ShownCard {
  std::string license{};
  std::vector<std::string> bases{}, datasets{};
};
Result<ShownCard> shown_card(sql::Database& database, RepoType type, const std::string& name) {
  const auto place = parse_repo_name(type, name);
  if (!place.ok()) return ShownCard();
  std::string data;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    return tx.query(
        "SELECT c.card FROM repo_cards c JOIN repo_repositories r ON r.id = c.repo WHERE r.place = ? AND "
        "r.visibility = ?",
        {place_of(type, place.value().ns, place.value().name), visibility_name(Visibility::public_)},
        [&](const sql::Row& row) {
          data = row.text(0);
          return false;
        });
  }));
  ShownCard out;
  if (data.empty()) return out;
  TRY(const json::value card, codec::parse_json(data));
  if (!card.is_object()) return out;
  for (const std::string& each : texts_of(card.get_object(), "license"))
    out.license += (out.license.empty() ? "" : " AND ") + each;
  out.bases = texts_of(card.get_object(), "base_model");
  out.datasets = texts_of(card.get_object(), "datasets");
  return out;
}

std::string in_words(const std::string& path, const json::object& finding) {
  std::string place = path;
  if (const auto member = text_of(finding, "member"); !member.empty()) place += fmt::format(" ({})", member);
  if (const json::value* line = finding.if_contains("line"))
    place += fmt::format(", line {}", codec::to_text(*line));
  if (const json::value* offset = finding.if_contains("offset"))
    place += fmt::format(", opcode at {}", codec::to_text(*offset));
  return fmt::format("{}: {} [{}]", place, text_of(finding, "reason"), text_of(finding, "rule"));
}

}  // namespace

std::optional<OnFinding> on_finding_of_name(std::string_view name) {
  if (name == "refuse") return OnFinding::refuse;
  if (name == "hold") return OnFinding::hold;
  if (name == "warn") return OnFinding::warn;
  return {};
}

std::string_view standing_name(Standing standing) {
  switch (standing) {
    case Standing::clean:
      return "clean";
    case Standing::warned:
      return "warned";
    case Standing::held:
      return "held";
  }
  return "";
}

void Checks::configure(CheckPolicy policy, IsLiveToken is_live_token) {
  policy_ = policy;
  is_live_token_ = std::move(is_live_token);
}

// A verdict holds for the rules and the policy it was made by.
int64_t Checks::rules_key() const {
  const auto number = [](OnFinding policy) { return static_cast<int64_t>(policy); };
  return scan::rules_version * 64 + number(policy_.pickle) * 16 + number(policy_.secrets) * 4 +
         number(policy_.license);
}

OnFinding Checks::policy_of(const json::object& finding) const {
  if (text_of(finding, "rule") == "secret.live-token") return OnFinding::refuse;
  if (text_of(finding, "severity") != "dangerous") return OnFinding::warn;
  const std::string_view topic = text_of(finding, "topic");
  if (topic == "secret") return policy_.secrets;
  if (topic == "license") return policy_.license;
  return policy_.pickle;
}

// Each is asked about, for the question ends those that live.
bool Checks::holds_live_token(const scan::FileReport& report, std::string_view found_in) const {
  if (!is_live_token_) return false;
  return std::ranges::count_if(report.tokens,
                               [&](const std::string& text) { return is_live_token_(text, found_in); }) > 0;
}

Status Checks::check_text(std::string_view text, std::string_view what) const {
  const auto source = scan::memory_source(as_bytes(text));
  TRY(const scan::FileReport report, scan::scan_file(*source, "text.md"));
  if (!holds_live_token(report, what)) return Done{};
  return fail(
      Reason::policy_refused,
      fmt::format("{} holds a token of this hub that worked until now: it is revoked [secret.live-token]",
                  what));
}

json::object Checks::describe(const scan::FileReport& report, const std::string& path) const {
  json::array findings, imports;
  // A token that works is worse than one that looks like one.
  const bool live = holds_live_token(report, printable(path));
  if (live)
    findings.push_back(
        json::object{{"topic", "secret"},
                     {"rule", "secret.live-token"},
                     {"severity", "dangerous"},
                     {"reason", "holds a token of this hub that worked until now: it is revoked"}});
  for (const scan::Finding& finding : report.findings) findings.push_back(repo::describe(finding));
  for (const scan::Import& import : report.imports)
    imports.push_back(json::object{{"module", printable(import.module)},
                                   {"name", printable(import.name)},
                                   {"safety", scan::safety_name(import.safety)}});
  return json::object{{"path", path},
                      {"severity", scan::severity_name(live ? scan::Severity::dangerous : report.worst())},
                      {"pickle", report.has_pickle},
                      {"imports", std::move(imports)},
                      {"findings", std::move(findings)}};
}

Result<json::object> Checks::look_at_large(std::string_view sha256, const std::string& path) {
  const std::string suffix = suffix_of(path);
  std::string kept;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT report FROM repo_file_verdicts WHERE sha256 = ? AND suffix = ? AND rules = ?",
                    {sha256, suffix, int64_t{scan::rules_version}}, [&](const sql::Row& row) {
                      kept = row.text(0);
                      return false;
                    });
  }));
  if (!kept.empty()) {
    auto parsed = codec::parse_json(kept);
    if (parsed.ok() && parsed.value().is_object()) {
      json::object report = std::move(parsed.value().get_object());
      report["path"] = path;
      return report;
    }
  }
  TRY(const content::Sha256Digest digest, content::parse_sha256(sha256));
  TRY(const content::FileInfo file, parts_.content.find(digest));
  TRY(auto reader, parts_.content.open(file.hash));
  StoredSource source(std::move(reader));
  TRY(const scan::FileReport report, scan::scan_file(source, path));
  json::object described = describe(report, path);
  // Whether a token lives changes, so such a report is made anew each time.
  if (report.tokens.empty()) {
    TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(
          tx.run("INSERT INTO repo_file_verdicts (sha256, suffix, rules, severity, report, at) VALUES (?, ?, "
                 "?, ?, ?, ?) "
                 "ON CONFLICT (sha256, suffix, rules) DO UPDATE SET report = excluded.report",
                 {sha256, suffix, int64_t{scan::rules_version}, text_of(described, "severity"),
                  codec::to_text(described), int64_t{parts_.clock.wall().time_since_epoch().count()}}));
      return Done{};
    }));
  }
  return described;
}

// Nothing when there is nothing to tell.
Result<std::optional<json::object>> Checks::look_at(const git::Repository& objects, const git::ObjectId& blob,
                                                    const std::string& path) {
  auto text = objects.read_blob(blob, regular_file_bytes_max);
  if (!text.ok())
    return std::optional<json::object>();  // A submodule, or over the limit that the gate holds.
  json::object report;
  if (const auto pointer = git::parse_lfs_pointer(text.value())) {
    auto looked = look_at_large(pointer->sha256, path);
    if (!looked.ok() && looked.error().code == Code::not_found)
      return std::optional<json::object>();  // A small text.
    if (!looked.ok()) return std::move(looked).error();
    report = std::move(looked).value();
  } else {
    const auto source = scan::memory_source(as_bytes(text.value()));
    TRY(const scan::FileReport found, scan::scan_file(*source, path));
    report = describe(found, path);
  }
  if (findings_of(report).empty() && !report.at("pickle").as_bool()) return std::optional<json::object>();
  return std::optional(std::move(report));
}

Status Checks::check_change(const git::Repository& objects, const git::ObjectId& before,
                            const git::ObjectId& after) {
  TRY(const git::DiffList diff, git::diff_trees(objects, before, after, changed_files_max));
  if (diff.cut) return fail(Reason::body_too_large, "The change touches too many files at once");
  for (const git::DiffEntry& entry : diff.entries) {
    if (entry.kind == git::DiffKind::removed) continue;
    TRY(const auto report, look_at(objects, entry.after, entry.path));
    if (report) {
      for (const json::value& each : findings_of(*report))
        if (policy_of(each.as_object()) == OnFinding::refuse)
          return fail(Reason::policy_refused, in_words(entry.path, each.as_object()));
    }
    if (entry.path != "README.md" || policy_.license != OnFinding::refuse) continue;
    TRY(const std::string readme, objects.read_blob(entry.after, regular_file_bytes_max));
    if (scan::check_card(readme, scan::CardKind::model).license.empty())
      return fail(Reason::policy_refused, "README.md: names no licence [card.license]");
  }
  return Done{};
}

Result<RevisionVerdict> Checks::verdict(const Repository& repository, const git::Repository& objects,
                                        const git::ObjectId& commit) {
  TRY(RevisionVerdict out, kept_verdict(repository, objects, commit));
  if (out.standing != Standing::held) return out;
  TRY(const auto release, held_release_of(parts_.database, repository.id, commit));
  if (!release) return out;
  TRY(json::object report, codec::parse_json_object(out.json, {.bytes_max = 64 << 20}));
  json::object told{{"state", held_release_name(release->state)},
                    {"by", release->by},
                    {"reason", release->reason},
                    {"at", format_time(release->at)}};
  if (!release->confirmed_by.empty()) told["confirmedBy"] = release->confirmed_by;
  if (release->state == HeldRelease::State::released) {
    out.standing = Standing::warned;
    report["standing"] = standing_name(out.standing);
  }
  report["released"] = std::move(told);
  out.json = codec::to_text(report);
  return out;
}

Result<RevisionVerdict> Checks::kept_verdict(const Repository& repository, const git::Repository& objects,
                                             const git::ObjectId& commit) {
  RevisionVerdict kept;
  bool found = false;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT report FROM repo_verdicts WHERE repo = ? AND commit_oid = ? AND rules = ?",
                    {repository.id.raw, commit.hex(), rules_key()}, [&](const sql::Row& row) {
                      kept.json = row.text(0);
                      found = true;
                      return false;
                    });
  }));
  if (found) {
    const auto parsed = codec::parse_json(kept.json);
    if (parsed.ok() && parsed.value().is_object()) {
      const json::object& report = parsed.value().get_object();
      const std::string_view standing = text_of(report, "standing");
      kept.standing = standing == "held"     ? Standing::held
                      : standing == "warned" ? Standing::warned
                                             : Standing::clean;
      if (const json::value* reasons = report.if_contains("reasons"))
        for (const json::value& reason : reasons->as_array()) kept.reasons.emplace_back(reason.as_string());
      return kept;
    }
  }
  TRY(RevisionVerdict made, make_verdict(repository, objects, commit));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(
        "INSERT INTO repo_verdicts (repo, commit_oid, rules, standing, report, at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (repo, commit_oid, rules) DO UPDATE SET standing = excluded.standing, report = "
        "excluded.report",
        {repository.id.raw, commit.hex(), rules_key(), standing_name(made.standing), made.json,
         int64_t{parts_.clock.wall().time_since_epoch().count()}}));
    return Done{};
  }));
  return made;
}

Result<RevisionVerdict> Checks::make_verdict(const Repository& repository, const git::Repository& objects,
                                             const git::ObjectId& commit) {
  RevisionVerdict verdict;
  json::array listed;
  uint64_t scanned = 0;
  const auto weigh = [&](const std::string& path, const json::object& finding) {
    const OnFinding policy = policy_of(finding);
    if (policy != OnFinding::warn) {
      verdict.standing = Standing::held;
      if (verdict.reasons.size() < 100) verdict.reasons.push_back(in_words(path, finding));
    } else if (text_of(finding, "severity") != "note") {
      verdict.standing = std::max(verdict.standing, Standing::warned);
    }
  };
  TRY(const auto files, parts_.browser.files(repository, objects, commit, changed_files_max));
  std::string readme, license_path, license_text;
  for (const FileEntry& file : files) {
    ++scanned;
    if (file.path == "README.md") {
      auto text = objects.read_blob(file.id, readme_bytes_max);
      if (text.ok()) readme = std::move(text).value();
    }
    if (license_path.empty() && scan::is_license_file(file.path)) {
      auto text = objects.read_blob(file.id, readme_bytes_max);
      if (text.ok()) license_text = std::move(text).value();
      license_path = file.path;
    }
    TRY(auto report, look_at(objects, file.id, file.path));
    if (!report) continue;
    for (const json::value& each : findings_of(*report)) weigh(file.path, each.as_object());
    if (listed.size() < listed_files_max) listed.push_back(std::move(*report));
  }
  json::object out{{"commit", commit.hex()},
                   {"rules", scan::rules_version},
                   {"filesScanned", scanned},
                   {"files", std::move(listed)}};
  const scan::CardKind kind = repository.type == RepoType::model     ? scan::CardKind::model
                              : repository.type == RepoType::dataset ? scan::CardKind::dataset
                                                                     : scan::CardKind::space;
  const scan::CardReport card = scan::check_card(readme, kind);
  json::array findings, missing;
  for (const scan::Finding& finding : card.findings) {
    findings.push_back(repo::describe(finding));
    weigh("README.md", findings.back().as_object());
  }
  if (const auto against = scan::compare_license_file(card.license, license_path, license_text)) {
    findings.push_back(repo::describe(*against));
    weigh(license_path, findings.back().as_object());
  }
  for (const std::string& section : card.missing_sections) missing.emplace_back(section);
  out["card"] = json::object{{"findings", std::move(findings)},
                             {"missingSections", std::move(missing)},
                             {"completeness", card.completeness},
                             {"license", card.license}};
  out["standing"] = standing_name(verdict.standing);
  json::array reasons;
  for (const std::string& reason : verdict.reasons) reasons.emplace_back(reason);
  out["reasons"] = std::move(reasons);
  verdict.json = codec::to_text(out);
  return verdict;
}

Result<std::vector<scan::Component>> Checks::license_parts(const Repository& repository,
                                                           const git::Repository& objects,
                                                           const git::ObjectId& commit) {
  using Role = scan::Component::Role;
  std::string readme;
  TRY(const auto entry, git::find_entry(objects, commit, "README.md"));
  if (entry) {
    auto text = objects.read_blob(entry->id, readme_bytes_max);
    if (text.ok()) readme = std::move(text).value();
  }
  const bool dataset = repository.type == RepoType::dataset;
  const scan::CardReport card =
      scan::check_card(readme, dataset ? scan::CardKind::dataset : scan::CardKind::model);
  std::vector<scan::Component> parts;
  parts.push_back({dataset ? Role::dataset : Role::model, repository.full_name(), card.license});
  const auto named = [&](std::string_view name) {
    return std::ranges::any_of(parts, [&](const scan::Component& each) { return each.name == name; });
  };
  std::vector<std::string> data = card.datasets;
  // Models that it was made of, what those were made of, and so on: nearer ones first.
  // Of what is further away, what is not here is judged by the licence of the nearer one.
  std::vector<std::string> bases = card.base_models;
  const size_t near_bases = bases.size(), near_data = data.size();
  for (size_t i = 0; i < bases.size() && parts.size() < license_parts_max; ++i) {
    if (named(bases[i])) continue;
    TRY(ShownCard base, shown_card(parts_.database, RepoType::model, bases[i]));
    if (i >= near_bases && base.license.empty()) continue;
    parts.push_back({Role::base_model, bases[i], std::move(base.license)});
    bases.insert(bases.end(), base.bases.begin(), base.bases.end());
    data.insert(data.end(), base.datasets.begin(), base.datasets.end());
  }
  for (size_t i = 0; i < data.size() && parts.size() < license_parts_max; ++i) {
    if (named(data[i])) continue;
    TRY(ShownCard shown, shown_card(parts_.database, RepoType::dataset, data[i]));
    if (i >= near_data && shown.license.empty()) continue;
    parts.push_back({Role::dataset, data[i], std::move(shown.license)});
  }
  // A chain that goes on beyond what is followed is for a person.
  if (parts.size() >= license_parts_max) parts.push_back({Role::base_model, "(and more)", {}});
  return parts;
}

}  // namespace holdfast::repo
