#include "net/forwarded.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace holdfast::net {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The address as it is always written, so that two spellings are the same.
std::optional<std::string> address_of(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string copy(text);
  unsigned char bytes[sizeof(in6_addr)];
  char spelled[INET6_ADDRSTRLEN];
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, copy.c_str(), bytes) == 1 &&
        inet_ntop(family, bytes, spelled, sizeof spelled) != nullptr)
      return std::string(spelled);
  return std::nullopt;
}

bool is_among(const std::vector<std::string>& trusted, const std::string& address) {
  return std::find(trusted.begin(), trusted.end(), address) != trusted.end();
}

// All fields of that name as one list.
std::string list_of(const Headers& headers, std::string_view wanted) {
  std::string all;
  for (const auto& [name, value] : headers.fields())
    if (name.size() == wanted.size() &&
        std::equal(name.begin(), name.end(), wanted.begin(),
                   [](char left, char right) { return (left | 0x20) == (right | 0x20); }))
      all += (all.empty() ? "" : ",") + value;
  return all;
}

}  // namespace

Asker forwarded(const Headers& headers, const Asker& peer, const std::vector<std::string>& trusted) {
  Asker asker = peer;
  if (!is_among(trusted, peer.address)) return asker;
  if (trimmed(headers.get("X-Forwarded-Proto")) == "https") asker.secure = true;
  const std::string list = list_of(headers, "X-Forwarded-For");
  std::string_view left = list;
  while (!left.empty()) {
    const size_t comma = left.rfind(',');
    const auto before = address_of(trimmed(comma == std::string_view::npos ? left : left.substr(comma + 1)));
    if (!before) break;
    asker.address = *before;
    if (!is_among(trusted, asker.address) || comma == std::string_view::npos) break;
    left = left.substr(0, comma);
  }
  return asker;
}

Result<std::vector<std::string>> parse_addresses(std::string_view list) {
  std::vector<std::string> out;
  while (!trimmed(list).empty()) {
    const size_t comma = list.find(',');
    const std::string_view one = trimmed(list.substr(0, comma));
    const auto address = address_of(one);
    if (!address) return fail(Reason::bad_request, fmt::format("'{}' is no address", one));
    out.push_back(*address);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return out;
}

}  // namespace holdfast::net
