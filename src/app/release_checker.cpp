#include "app/release_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "codec/yaml.h"
#include "repo/card.h"
#include "repo/hub.h"

namespace holdfast::app {
namespace {

namespace json = boost::json;

constexpr uint64_t card_bytes_max = 4 << 20;

// The families of reference/governance.md 2.4 that decide by themselves; every other one goes to a person.
constexpr std::array<std::string_view, 15> free_licences = {
    "mit",       "apache-2.0", "bsd",       "bsd-2-clause",        "bsd-3-clause",
    "isc",       "cc0-1.0",    "unlicense", "openmdw-1.0",         "openmdw-1.1",
    "cc-by-4.0", "cc-by-3.0",  "odc-by",    "cdla-permissive-2.0", "cdla-permissive-1.0"};

json::object verdict(std::string_view verdict, std::string why) {
  return {{"verdict", verdict}, {"why", std::move(why)}};
}

json::object judge_licence(const std::string& licence, const govern::Record& record) {
  if (licence.empty() || licence == "unknown" || licence == "other")
    return verdict("review", "the card names no licence that a rule could judge");
  if (std::find(free_licences.begin(), free_licences.end(), licence) != free_licences.end())
    return verdict("pass", licence + " allows this use");
  const bool non_commercial = licence.find("-nc") != std::string::npos ||
                              licence.find("research") != std::string::npos ||
                              licence.find("noncommercial") != std::string::npos || licence == "apple-amlr";
  if (non_commercial && record.purpose == "commercial")
    return verdict("fail", licence + " forbids commercial use");
  return verdict("review", licence + " has terms that a person must look at");
}

json::object judge_card(const std::string& readme, const std::string& licence) {
  if (readme.empty()) return verdict("fail", "there is no README.md");
  const repo::CardFindings findings = repo::check_card(readme, repo::RepoType::model);
  if (!findings.errors.empty()) return verdict("fail", findings.errors.front());
  if (licence.empty()) return verdict("fail", "the card has no licence");
  if (readme.find("[More Information Needed]") != std::string::npos)
    return verdict("fail", "the card has sections that nobody filled");
  return verdict("pass", "");
}

json::object judge_files(const std::vector<repo::FileEntry>& files) {
  constexpr std::array<std::string_view, 9> pickled = {".pkl", ".pickle", ".joblib", ".dill", ".bin",
                                                       ".pt",  ".pth",    ".ckpt",   ".npy"};
  for (const repo::FileEntry& file : files)
    for (const std::string_view ending : pickled)
      if (file.path.ends_with(ending))
        return verdict("fail",
                       fmt::format("{} may run code when it is loaded: publish safetensors", file.path));
  return verdict("pass", "");
}

class HubChecker final : public govern::Checker {
 public:
  explicit HubChecker(repo::Hub& hub) : hub_(hub) {}

  Result<std::vector<govern::CheckedFact>> check(const repo::Repository& model, const git::ObjectId& commit,
                                                 const govern::Record& record) override {
    TRY(const git::Repository objects, hub_.storage.open(model.id));
    TRY(const std::vector<repo::FileEntry> files, hub_.browser.files(model, objects, commit));
    std::string readme;
    for (const repo::FileEntry& file : files)
      if (file.path == "README.md" && !file.large) {
        TRY(readme, objects.read_blob(file.id, card_bytes_max));
      }
    std::string licence;
    const auto card = codec::parse_yaml(repo::front_matter(readme));
    if (card.ok() && card.value().is_object()) {
      const auto named = codec::json_text_if(card.value().get_object(), "license");
      if (named.ok()) licence = named.value().value_or("");
    }
    return std::vector<govern::CheckedFact>{{"licence", judge_licence(licence, record)},
                                            {"scan", judge_files(files)},
                                            {"card", judge_card(readme, licence)}};
  }

 private:
  repo::Hub& hub_;
};

}  // namespace

std::unique_ptr<govern::Checker> make_release_checker(repo::Hub& hub) {
  return std::make_unique<HubChecker>(hub);
}

}  // namespace holdfast::app
