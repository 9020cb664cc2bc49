#include "app/release_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "content/store.h"
#include "repo/card.h"
#include "repo/hub.h"
#include "repo/revisions.h"
#include "scan/card_check.h"
#include "scan/license_file.h"
#include "scan/license_view.h"
#include "scan/rules_version.h"
#include "scan/scan_file.h"

namespace holdfast::app {
namespace {

namespace json = boost::json;

constexpr uint64_t card_bytes_max = 4 << 20, blob_bytes_max = 64 << 20;
constexpr size_t findings_shown_max = 100;
constexpr size_t parts_max = 64;  // Of a chain of licences.

json::object verdict(std::string_view verdict, std::string why) {
  return {{"verdict", verdict}, {"why", std::move(why)}};
}

class ReaderSource final : public scan::Source {
 public:
  explicit ReaderSource(std::unique_ptr<content::Reader> reader) : reader_(std::move(reader)) {}
  uint64_t size() const override { return reader_->info().size; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    return reader_->read_at(offset, into);
  }

 private:
  std::unique_ptr<content::Reader> reader_;
};

scan::IntendedUse::Purpose purpose_of(const govern::Record& record) {
  using Purpose = scan::IntendedUse::Purpose;
  if (record.purpose == "research") return Purpose::research;
  return record.purpose == "internal" ? Purpose::non_commercial : Purpose::commercial;
}

json::object licence_verdict(const std::vector<scan::Component>& components, const govern::Record& record) {
  const scan::LicenseReport report =
      scan::judge_licenses(components, {.purpose = purpose_of(record), .shared = false});
  std::string why;
  for (const scan::LicenseReason& reason : report.reasons)
    if (reason.verdict == report.verdict)
      why += (why.empty() ? "" : "; ") + reason.component + ": " + reason.reason;
  const bool good = report.verdict == scan::Verdict::allowed;
  json::object body = verdict(good                                       ? "pass"
                              : report.verdict == scan::Verdict::refused ? "fail"
                                                                         : "review",
                              why);
  body["reasons"] = scan::reasons_view(report);
  body["duties"] = json::array(report.duties.begin(), report.duties.end());
  body["note"] = scan::not_legal_advice;
  return body;
}

json::object card_verdict(const std::string& readme, const scan::CardReport& report, CardDemand demand) {
  const repo::CardFindings findings = repo::check_card(readme, repo::RepoType::model);
  json::object body = verdict("pass", "");
  if (readme.empty())
    body = verdict("fail", "there is no README.md");
  else if (!findings.errors.empty())
    body = verdict("fail", findings.errors.front());
  else if (report.license.empty())
    body = verdict("fail", "the card has no licence");
  else if (demand == CardDemand::complete && !report.missing_sections.empty())
    body = verdict("fail", fmt::format("the card lacks {}", fmt::join(report.missing_sections, "; ")));
  body["completeness"] = report.completeness;
  body["missing_sections"] = json::array(report.missing_sections.begin(), report.missing_sections.end());
  return body;
}

// Looks at the files of a release: its card, the licences of all it is made of, and what its bytes would do.
class HubChecker final : public govern::Checker {
 public:
  HubChecker(repo::Hub& hub, content::Store& content, CardDemand demand = CardDemand::licence)
      : hub_(hub), content_(content), demand_(demand) {}

  Result<std::vector<govern::CheckedFact>> check(const repo::Repository& model, const git::ObjectId& commit,
                                                 const govern::Record& record) override {
    TRY(const std::string readme, card_of(model, commit));
    scan::CardReport card = scan::check_card(readme, scan::CardKind::model);
    const json::object card_says = card_verdict(readme, card, demand_);
    if (text_differs(model, commit, card.license)) card.license = differing(card.license);
    TRY(json::object files, scan_files(model, commit));
    TRY_DONE(note_release(model, commit, files));
    return std::vector<govern::CheckedFact>{
        {"licence", licence_verdict(components_of(model, card, record), record)},
        {"scan", std::move(files)},
        {"card", card_says}};
  }

  Result<observe::LicenceAudit> audit_licences(const repo::Repository& model, const git::ObjectId& commit,
                                               const govern::Record& record) {
    using Verdict = observe::LicenceAudit::Verdict;
    TRY(const std::string readme, card_of(model, commit));
    scan::CardReport card = scan::check_card(readme, scan::CardKind::model);
    if (text_differs(model, commit, card.license)) card.license = differing(card.license);
    const json::object found = licence_verdict(components_of(model, card, record), record);
    const json::string& name = found.at("verdict").as_string();
    return observe::LicenceAudit{.verdict = name == "pass"     ? Verdict::pass
                                            : name == "review" ? Verdict::review
                                                               : Verdict::fail,
                                 .why = std::string(found.at("why").as_string())};
  }

 private:
  // What is held and somebody released, with a reason, is not refused here but shown to another person.
  Status note_release(const repo::Repository& model, const git::ObjectId& commit, json::object& files) {
    if (files.at("verdict") != "fail") return Done{};
    TRY(const git::Repository objects, hub_.storage.open(model.id));
    TRY(const repo::RevisionVerdict known, hub_.checks.verdict(model, objects, commit));
    if (known.standing == repo::Standing::held) return Done{};
    TRY(const json::object told, codec::parse_json_object(known.json, {.bytes_max = 64 << 20}));
    TRY(const json::object* release, codec::json_object_if(told, "released"));
    if (release == nullptr) return Done{};
    TRY(const std::string_view by, codec::json_text(*release, "by"));
    TRY(const std::string_view reason, codec::json_text(*release, "reason"));
    files["verdict"] = "review";
    files["why"] =
        fmt::format("{} (released by {}: {})", std::string_view(files.at("why").as_string()), by, reason);
    return Done{};
  }

  // All that a release is made of and that has a licence of its own: the model, those it was made of and what
  // those were made of, nearer ones first, and all their data.
  std::vector<scan::Component> components_of(const repo::Repository& model, const scan::CardReport& card,
                                             const govern::Record& record) {
    using Role = scan::Component::Role;
    std::vector<scan::Component> parts{
        {.role = Role::model, .name = model.full_name(), .license = card.license}};
    const auto named = [&](std::string_view name) {
      return std::ranges::any_of(parts, [&](const scan::Component& each) { return each.name == name; });
    };
    std::vector<std::string> bases = card.base_models, data = card.datasets;
    if (!record.dataset.empty()) data.push_back(record.dataset);
    // Of what is further away, what is not here is judged by the licence of the nearer one.
    const size_t near_bases = bases.size(), near_data = data.size();
    for (size_t i = 0; i < bases.size() && parts.size() < parts_max; ++i) {
      if (named(bases[i])) continue;
      const scan::CardReport base = main_card_of(repo::RepoType::model, bases[i]);
      if (i >= near_bases && base.license.empty()) continue;
      parts.push_back({.role = Role::base_model, .name = bases[i], .license = base.license});
      bases.insert(bases.end(), base.base_models.begin(), base.base_models.end());
      data.insert(data.end(), base.datasets.begin(), base.datasets.end());
    }
    for (size_t i = 0; i < data.size() && parts.size() < parts_max; ++i) {
      if (named(data[i])) continue;
      const std::string license = main_card_of(repo::RepoType::dataset, data[i]).license;
      if (i >= near_data && license.empty()) continue;
      parts.push_back({.role = Role::dataset, .name = data[i], .license = license});
    }
    // A chain that goes on beyond what is followed is for a person.
    if (parts.size() >= parts_max)
      parts.push_back({.role = Role::base_model, .name = "(and more)", .license = {}});
    return parts;
  }

  Result<std::string> card_of(const repo::Repository& repository, const git::ObjectId& commit) {
    TRY(const git::Repository objects, hub_.storage.open(repository.id));
    TRY(const auto file, hub_.browser.find(repository, objects, commit, "README.md"));
    if (!file || file->is_folder() || file->large) return std::string();
    return objects.read_blob(file->id, card_bytes_max);
  }

  // Of what lies here at its main; empty for what does not, which then goes to a person.
  scan::CardReport main_card_of(repo::RepoType type, const std::string& name) {
    const auto place = repo::parse_repo_name(type, name);
    if (!place.ok()) return {};
    const auto found = hub_.repositories.find(type, place.value().ns, place.value().name);
    if (!found.ok() || !found.value()) return {};
    const auto objects = hub_.storage.open(found.value()->id);
    if (!objects.ok()) return {};
    const auto head = repo::find_revision(hub_.publisher, objects.value(), found.value()->id, "main");
    if (!head.ok()) return {};
    const auto readme = card_of(*found.value(), head.value().commit);
    if (!readme.ok()) return {};
    const auto kind = type == repo::RepoType::model ? scan::CardKind::model : scan::CardKind::dataset;
    scan::CardReport card = scan::check_card(readme.value(), kind);
    // A text that is another licence's than the tag says is no licence that a rule may judge.
    if (text_differs(*found.value(), head.value().commit, card.license))
      card.license = differing(card.license);
    return card;
  }

  // Whether a LICENSE beside the card is another licence's text.
  bool text_differs(const repo::Repository& repository, const git::ObjectId& commit,
                    const std::string& license) {
    const auto objects = hub_.storage.open(repository.id);
    if (!objects.ok()) return false;
    const auto files = hub_.browser.files(repository, objects.value(), commit);
    if (!files.ok()) return false;
    for (const repo::FileEntry& file : files.value()) {
      if (!scan::is_license_file(file.path) || file.large || file.is_folder()) continue;
      const auto text = objects.value().read_blob(file.id, card_bytes_max);
      if (text.ok() && scan::compare_license_file(license, file.path, text.value())) return true;
    }
    return false;
  }
  static std::string differing(const std::string& license) {
    return fmt::format("{} (LICENSE is another text)", license);
  }

  Result<scan::FileReport> scan_one(const git::Repository& objects, const repo::FileEntry& file) {
    if (file.large) {
      TRY(std::unique_ptr<content::Reader> reader, content_.open(file.large->hash));
      ReaderSource source(std::move(reader));
      return scan::scan_file(source, file.path);
    }
    TRY(const std::string bytes, objects.read_blob(file.id, blob_bytes_max));
    const auto source = scan::memory_source(as_bytes(bytes));
    return scan::scan_file(*source, file.path);
  }

  Result<json::object> scan_files(const repo::Repository& model, const git::ObjectId& commit) {
    TRY(const git::Repository objects, hub_.storage.open(model.id));
    TRY(const std::vector<repo::FileEntry> files, hub_.browser.files(model, objects, commit));
    scan::Severity worst = scan::Severity::note;
    std::string why;
    json::array findings;
    for (const repo::FileEntry& file : files) {
      if (file.kind == git::EntryKind::submodule) continue;
      TRY(const scan::FileReport report, scan_one(objects, file));
      for (const scan::Finding& finding : report.findings) {
        if (finding.severity > worst) {
          worst = finding.severity;
          why = fmt::format("{}: {}", file.path, finding.reason);
        }
        if (findings.size() < findings_shown_max)
          findings.push_back(json::object{{"file", file.path},
                                          {"member", finding.place.member},
                                          {"rule", finding.rule},
                                          {"severity", scan::severity_name(finding.severity)},
                                          {"reason", finding.reason}});
      }
    }
    json::object body = verdict(worst == scan::Severity::note      ? "pass"
                                : worst == scan::Severity::warning ? "review"
                                                                   : "fail",
                                why);
    body["findings"] = std::move(findings);
    body["rules_version"] = scan::rules_version;
    return body;
  }

  repo::Hub& hub_;
  content::Store& content_;
  const CardDemand demand_;
};

class HubAuditor final : public observe::LicenceAuditor {
 public:
  HubAuditor(repo::Hub& hub, content::Store& content) : hub_(hub), checker_(hub, content) {}

  Result<observe::LicenceAudit> audit(const govern::Record& record, const govern::Release& release) override {
    TRY(const auto model, hub_.repositories.find(repo::RepoId{release.repository}));
    if (!model)
      return observe::LicenceAudit{.verdict = observe::LicenceAudit::Verdict::fail,
                                   .why = "the model is not here any more"};
    TRY(const git::ObjectId commit, git::ObjectId::parse(release.revision));
    return checker_.audit_licences(*model, commit, record);
  }

 private:
  repo::Hub& hub_;
  HubChecker checker_;
};

}  // namespace

std::unique_ptr<observe::LicenceAuditor> make_licence_auditor(repo::Hub& hub, content::Store& content) {
  return std::make_unique<HubAuditor>(hub, content);
}

std::unique_ptr<govern::Checker> make_release_checker(repo::Hub& hub, content::Store& content,
                                                      CardDemand demand) {
  return std::make_unique<HubChecker>(hub, content, demand);
}

}  // namespace holdfast::app
