#include <array>
#include <string>
#include <string_view>

#include "api/route.h"

namespace holdfast::api {
namespace {

constexpr std::array types = {repo::RepoType::model, repo::RepoType::dataset, repo::RepoType::space};
constexpr std::string_view type_word = "{T}", id_word = "{id}";

void replace(std::string& text, std::string_view word, std::string_view with) {
  const size_t at = text.find(word);
  if (at != std::string::npos) text.replace(at, word.size(), with);
}

}  // namespace

std::vector<ExpandedPattern> expand_pattern(const std::string& pattern) {
  const bool has_type = pattern.find(type_word) != std::string::npos;
  const bool has_id = pattern.find(id_word) != std::string::npos;
  if (!has_type && !has_id) return {{pattern, std::nullopt, false}};
  std::vector<ExpandedPattern> out;
  for (const repo::RepoType type : types) {
    std::string text = pattern;
    replace(text, type_word, repo::type_plural(type));
    replace(text, id_word, has_type ? "{ns}/{name}" : std::string(repo::url_prefix(type)) + "{ns}/{name}");
    out.push_back({std::move(text), type, has_id});
  }
  return out;
}

std::string_view access_name(Access access) {
  switch (access) {
    case Access::open:
      return "open";
    case Access::signed_in:
      return "signed_in";
    case Access::signed_in_write:
      return "signed_in_write";
    case Access::repo_read:
      return "repo_read";
    case Access::repo_content:
      return "repo_content";
    case Access::repo_contribute:
      return "repo_contribute";
    case Access::repo_write:
      return "repo_write";
    case Access::repo_admin:
      return "repo_admin";
    case Access::instance_admin:
      return "instance_admin";
    case Access::cas_token:
      return "cas_token";
    case Access::signed_url:
      return "signed_url";
  }
  return "";
}

}  // namespace holdfast::api
