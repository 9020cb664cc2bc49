#include "api/reported_results.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <map>

#include "api/services.h"
#include "git/object_id.h"
#include "git/tree_list.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr double tolerance = 0.0005;  // Three decimals of a share, one of a percentage.
constexpr size_t files_max = 10'000;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The name by which the registry knows what a card calls so; empty for what it does not measure.
std::string metric_name(const json::object& metric) {
  std::string name;
  for (const char letter : text_of(metric, "type") + " " + text_of(metric, "name"))
    name += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  const auto says = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  if (says("f1")) return says("macro") ? "f1_macro" : "";
  if (says("accuracy")) return says("balanced") || says("top") ? "" : "accuracy";
  if (says("ece") || says("expected calibration error")) return "ece";
  return "";
}

// Percent or a share.
bool is_same(double reported, double measured) {
  return std::abs(reported - measured) <= tolerance ||
         (reported > 1.0 && std::abs(reported / 100 - measured) <= tolerance);
}

bool is_same_data(const json::object& dataset, const govern::MeasuredResult& one) {
  if (text_of(dataset, "type") != one.dataset && text_of(dataset, "name") != one.dataset) return false;
  const std::string split = text_of(dataset, "split"), revision = text_of(dataset, "revision");
  if (!split.empty() && split != one.split) return false;
  return revision.empty() || revision == one.dataset_revision;
}

json::array* array_in(json::value& value, std::string_view key) {
  json::object* object = value.if_object();
  json::value* found = object == nullptr ? nullptr : object->if_contains(key);
  return found == nullptr ? nullptr : found->if_array();
}

// What counts for an answer: everything but words about it.
using Files = std::map<std::string, git::ObjectId>;
Result<Files> files_of(const git::Repository& objects, const git::ObjectId& commit) {
  git::ListOptions options;
  options.depth = git::Depth::all;
  options.sizes = git::Sizes::leave_zero;
  options.entries_max = files_max;
  TRY(const git::TreePage page, git::list_tree(objects, commit, options));
  if (page.more) return fail(Code::too_large, "a model of that many files is not compared");
  Files files;
  for (const git::TreeEntry& entry : page.entries)
    if (!entry.is_folder() && !entry.path.ends_with(".md") && entry.path != ".gitattributes")
      files[entry.path] = entry.id;
  return files;
}

}  // namespace

Status label_results(json::value& index, std::span<const govern::MeasuredResult> measured,
                     const std::function<Result<bool>(std::string_view revision)>& same_files) {
  json::array* models = index.if_array();
  if (models == nullptr) return Done{};
  for (json::value& model : *models) {
    json::array* results = array_in(model, "results");
    if (results == nullptr) continue;
    for (json::value& result : *results) {
      json::array* metrics = array_in(result, "metrics");
      if (metrics == nullptr) continue;
      const json::value* dataset = result.get_object().if_contains("dataset");
      for (json::value& each : *metrics) {
        if (!each.is_object()) continue;
        json::object& metric = each.get_object();
        metric["verified"] = false;
        metric.erase("verifiedBy");
        const json::value* value = metric.if_contains("value");
        const std::string name = metric_name(metric);
        if (dataset == nullptr || !dataset->is_object() || value == nullptr || !value->is_number()) continue;
        for (const govern::MeasuredResult& one : measured) {
          const auto found = one.metrics.find(name);
          if (found == one.metrics.end() || !is_same(value->to_number<double>(), found->second) ||
              !is_same_data(dataset->get_object(), one))
            continue;
          TRY(const bool same, same_files(one.revision));
          if (!same) continue;
          metric["verified"] = true;
          metric["verifiedBy"] = json::object{{"evaluation", one.evaluation},
                                              {"revision", one.revision},
                                              {"dataset_revision", one.dataset_revision}};
          break;
        }
      }
    }
  }
  return Done{};
}

Status label_results_of(Services& services, const repo::Repository& repository,
                        const git::Repository& objects, const git::ObjectId& commit, json::object& view) {
  json::value* data = view.if_contains("cardData");
  json::object* fields = data == nullptr ? nullptr : data->if_object();
  json::value* const indexes[] = {view.if_contains("model-index"),
                                  fields == nullptr ? nullptr : fields->if_contains("model-index")};
  const auto is_list = [](const json::value* index) { return index != nullptr && index->is_array(); };
  if (repository.type != repo::RepoType::model || (!is_list(indexes[0]) && !is_list(indexes[1])))
    return Done{};
  TRY(const auto measured, govern::measured_results(services.database, repository.id));
  std::map<std::string, bool, std::less<>> known;
  const auto same_files = [&](std::string_view revision) -> Result<bool> {
    if (const auto found = known.find(revision); found != known.end()) return found->second;
    bool same = revision == commit.hex();
    if (!same) {
      TRY(const git::ObjectId other, git::ObjectId::parse(revision));
      auto here = files_of(objects, commit), there = files_of(objects, other);
      same = here.ok() && there.ok() && here.value() == there.value();
    }
    known.emplace(revision, same);
    return same;
  };
  for (json::value* index : indexes)
    if (is_list(index)) TRY_DONE(label_results(*index, measured, same_files));
  return Done{};
}

}  // namespace holdfast::api
