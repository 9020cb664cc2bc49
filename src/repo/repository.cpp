#include "repo/repository.h"

#include <algorithm>
#include <cctype>

namespace holdfast::repo {
namespace {

constexpr size_t name_length_max = 96;

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

}  // namespace

std::string_view type_name(RepoType type) {
  switch (type) {
    case RepoType::model:
      return "model";
    case RepoType::dataset:
      return "dataset";
    case RepoType::space:
      return "space";
  }
  return "";
}

std::string_view type_plural(RepoType type) {
  switch (type) {
    case RepoType::model:
      return "models";
    case RepoType::dataset:
      return "datasets";
    case RepoType::space:
      return "spaces";
  }
  return "";
}

std::string_view url_prefix(RepoType type) {
  switch (type) {
    case RepoType::model:
      return "";
    case RepoType::dataset:
      return "datasets/";
    case RepoType::space:
      return "spaces/";
  }
  return "";
}

std::optional<RepoType> type_of_name(std::string_view name) {
  if (name == "model") return RepoType::model;
  if (name == "dataset") return RepoType::dataset;
  if (name == "space") return RepoType::space;
  return std::nullopt;
}

std::optional<RepoType> type_of_plural(std::string_view plural) {
  if (!plural.ends_with('s')) return std::nullopt;
  return type_of_name(plural.substr(0, plural.size() - 1));
}

Status check_repo_name(std::string_view name) {
  if (name.empty() || name.size() > name_length_max)
    return fail(Reason::bad_request, "a repository name has 1 to 96 characters");
  if (!std::all_of(name.begin(), name.end(), name_character))
    return fail(Reason::bad_request, "a repository name holds letters, digits, '-', '_' and '.' only");
  if (name.find("--") != std::string_view::npos || name.find("..") != std::string_view::npos)
    return fail(Reason::bad_request, "a repository name may not hold \"--\" or \"..\"");
  const auto edge = [](char c) { return c == '-' || c == '.'; };
  if (edge(name.front()) || edge(name.back()))
    return fail(Reason::bad_request, "a repository name may not start or end with '-' or '.'");
  if (name.ends_with(".git") || name.ends_with(".ipynb"))
    return fail(Reason::bad_request, "a repository name may not end in .git or .ipynb");
  return Done{};
}

Result<RepoName> parse_repo_name(RepoType type, std::string_view full_name) {
  const size_t slash = full_name.find('/');
  if (slash == std::string_view::npos)
    return fail(Reason::bad_request, "a repository is named namespace/name");
  RepoName out{.type = type,
               .ns = std::string(full_name.substr(0, slash)),
               .name = std::string(full_name.substr(slash + 1))};
  TRY_DONE(check_repo_name(out.ns));
  TRY_DONE(check_repo_name(out.name));
  return out;
}

}  // namespace holdfast::repo
