#include "identity/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"

namespace holdfast::identity {
namespace {

template <class Value, size_t Count>
using Words = std::array<std::pair<Value, std::string_view>, Count>;

constexpr Words<OrgRole, 4> org_roles{{{OrgRole::read, "read"},
                                       {OrgRole::contributor, "contributor"},
                                       {OrgRole::write, "write"},
                                       {OrgRole::admin, "admin"}}};
constexpr Words<TokenRole, 3> token_roles{
    {{TokenRole::read, "read"}, {TokenRole::write, "write"}, {TokenRole::fine_grained, "fineGrained"}}};
constexpr Words<Grant, 5> grants{{{Grant::content_read, "repo.content.read"},
                                  {Grant::repo_write, "repo.write"},
                                  {Grant::discussion_write, "discussion.write"},
                                  {Grant::infer, "infer"},
                                  {Grant::admin, "admin"}}};
constexpr Words<EntityKind, 7> entity_kinds{{{EntityKind::everything, "everything"},
                                             {EntityKind::user, "user"},
                                             {EntityKind::organisation, "org"},
                                             {EntityKind::model, "model"},
                                             {EntityKind::dataset, "dataset"},
                                             {EntityKind::space, "space"},
                                             {EntityKind::endpoint, "endpoint"}}};

template <class Value, size_t Count>
std::string_view word_of(const Words<Value, Count>& words, Value value) {
  for (const auto& [known, word] : words)
    if (known == value) return word;
  CHECK(false && "a word for every value");
  return {};
}

template <class Value, size_t Count>
std::optional<Value> value_of(const Words<Value, Count>& words, std::string_view word) {
  for (const auto& [value, known] : words)
    if (known == word) return value;
  return std::nullopt;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_name_character(char c) {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool is_edge(char c) { return c == '-' || c == '.'; }

constexpr size_t name_length_max = 96;

}  // namespace

std::string_view org_role_name(OrgRole role) { return word_of(org_roles, role); }
std::string_view token_role_name(TokenRole role) { return word_of(token_roles, role); }
std::string_view grant_name(Grant grant) { return word_of(grants, grant); }
std::string_view entity_kind_name(EntityKind kind) { return word_of(entity_kinds, kind); }

std::optional<OrgRole> org_role_of(std::string_view name) { return value_of(org_roles, name); }
std::optional<TokenRole> token_role_of(std::string_view name) {
  return value_of(token_roles, name == "fine-grained" ? "fineGrained" : name);
}
std::optional<Grant> grant_of(std::string_view name) { return value_of(grants, name); }
std::optional<EntityKind> entity_kind_of(std::string_view name) { return value_of(entity_kinds, name); }

std::string lower_case(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool equal_names(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

Status check_account_name(std::string_view name) {
  if (name.empty() || name.size() > name_length_max)
    return fail(Reason::bad_request, fmt::format("a name has 1 to {} characters", name_length_max));
  if (!std::all_of(name.begin(), name.end(), is_name_character))
    return fail(Reason::bad_request, "a name is made of letters, digits, '_', '-' and '.'");
  if (is_edge(name.front()) || is_edge(name.back()))
    return fail(Reason::bad_request, "a name neither starts nor ends with '-' or '.'");
  if (name.find("..") != std::string_view::npos || name.find("--") != std::string_view::npos)
    return fail(Reason::bad_request, "a name has no '..' and no '--'");
  return Done{};
}

Status check_display_text(std::string_view text, size_t bytes_max, std::string_view what) {
  if (text.size() > bytes_max)
    return fail(Reason::bad_request, fmt::format("the {} is longer than {} bytes", what, bytes_max));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_control))
    return fail(Reason::bad_request, fmt::format("the {} holds characters that cannot be shown", what));
  return Done{};
}

}  // namespace holdfast::identity
