#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/yaml.h"
#include "repo/card.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

bool is_texts(const json::value& value) {
  if (value.is_string()) return true;
  if (!value.is_array()) return false;
  const json::array& list = value.get_array();
  return std::all_of(list.begin(), list.end(), [](const json::value& each) { return each.is_string(); });
}

void check_license(const json::object& data, CardFindings& findings) {
  const json::value* license = data.if_contains("license");
  if (license == nullptr || license->is_null()) return;
  const auto known = [](const json::value& each) {
    return each.is_string() &&
           std::binary_search(licenses().begin(), licenses().end(), std::string_view(each.get_string()));
  };
  const bool good = license->is_array()
                        ? std::all_of(license->get_array().begin(), license->get_array().end(), known)
                        : known(*license);
  if (!good)
    findings.errors.push_back(fmt::format("\"license\" must be one of [{}]", fmt::join(licenses(), ", ")));
}

void check_kinds(const json::object& data, CardFindings& findings) {
  for (const std::string_view key : {"language", "tags", "datasets", "metrics", "base_model"}) {
    const json::value* value = data.if_contains(key);
    if (value != nullptr && !value->is_null() && !is_texts(*value))
      findings.errors.push_back(fmt::format("\"{}\" must be a string or an array of strings", key));
  }
  for (const std::string_view key : {"library_name", "pipeline_tag", "title", "sdk"}) {
    const json::value* value = data.if_contains(key);
    if (value != nullptr && !value->is_null() && !value->is_string())
      findings.errors.push_back(fmt::format("\"{}\" must be a string", key));
  }
}

void check_model_index(const json::object& data, CardFindings& findings) {
  const json::value* index = data.if_contains("model-index");
  if (index == nullptr || index->is_null()) return;
  if (!index->is_array()) {
    findings.errors.emplace_back("\"model-index\" must be an array");
    return;
  }
  size_t at = 0;
  for (const json::value& each : index->get_array()) {
    const json::object* model = each.if_object();
    const json::value* name = model == nullptr ? nullptr : model->if_contains("name");
    if (name == nullptr || !name->is_string())
      findings.errors.push_back(fmt::format("\"model-index[{}].name\" is required", at));
    const json::value* results = model == nullptr ? nullptr : model->if_contains("results");
    if (results == nullptr || !results->is_array())
      findings.errors.push_back(fmt::format("\"model-index[{}].results\" must be an array", at));
    ++at;
  }
}

void check_space(const json::object& data, CardFindings& findings) {
  static constexpr std::array<std::string_view, 4> sdks = {"gradio", "streamlit", "docker", "static"};
  const json::value* sdk = data.if_contains("sdk");
  if (sdk == nullptr) {
    findings.warnings.emplace_back("\"sdk\" is missing");
    return;
  }
  if (sdk->is_string() &&
      std::find(sdks.begin(), sdks.end(), std::string_view(sdk->get_string())) == sdks.end())
    findings.errors.push_back(fmt::format("\"sdk\" must be one of [{}]", fmt::join(sdks, ", ")));
}

}  // namespace

CardFindings check_card(std::string_view readme, RepoType type) {
  CardFindings findings;
  const std::string_view yaml = front_matter(readme);
  if (yaml.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    findings.warnings.emplace_back("empty or missing yaml metadata in repo card");
    return findings;
  }
  const auto parsed = codec::parse_yaml(yaml);
  if (!parsed.ok()) {
    findings.errors.push_back(fmt::format("the metadata is no valid YAML: {}", parsed.error().message));
    return findings;
  }
  if (!parsed.value().is_object()) {
    findings.errors.emplace_back("the metadata must be an object");
    return findings;
  }
  const json::object& data = parsed.value().get_object();
  check_license(data, findings);
  check_kinds(data, findings);
  check_model_index(data, findings);
  if (type == RepoType::space) check_space(data, findings);
  return findings;
}

}  // namespace holdfast::repo
