#include "git/lfs_pointer.h"

#include <charconv>

#include "codec/hex.h"

namespace holdfast::git {

namespace {

constexpr std::string_view version = "https://git-lfs.github.com/spec/v1";
// What older clients wrote; git-lfs still reads them.
constexpr std::string_view old_versions[] = {"https://hawser.github.com/spec/v1", "http://git-media.io/v/2"};

bool known_version(std::string_view text) {
  return text == version || text == old_versions[0] || text == old_versions[1];
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The next line that is not empty, cut into its key and value; nullopt at the end or without a value.
std::optional<std::pair<std::string_view, std::string_view>> next_line(std::string_view& rest) {
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    if (space == line.npos) return std::nullopt;
    return std::pair(line.substr(0, space), line.substr(space + 1));
  }
  return std::nullopt;
}

bool is_extension(std::string_view key) {
  return key.size() > 6 && key.starts_with("ext-") && key[4] >= '0' && key[4] <= '9' && key[5] == '-';
}

}  // namespace

std::string format_lfs_pointer(const LfsPointer& pointer) {
  return "version " + std::string(version) + "\noid sha256:" + pointer.sha256 + "\nsize " +
         std::to_string(pointer.size) + "\n";
}

std::optional<LfsPointer> parse_lfs_pointer(std::string_view text) {
  if (text.size() > lfs_pointer_bytes_max) return std::nullopt;
  std::string_view rest = trimmed(text);
  auto line = next_line(rest);
  if (!line || line->first != "version" || !known_version(line->second)) return std::nullopt;
  line = next_line(rest);
  while (line && is_extension(line->first)) line = next_line(rest);
  if (!line || line->first != "oid" || !line->second.starts_with("sha256:")) return std::nullopt;
  LfsPointer pointer;
  pointer.sha256 = line->second.substr(7);
  if (!codec::is_lower_hex(pointer.sha256, 64)) return std::nullopt;
  line = next_line(rest);
  if (!line || line->first != "size") return std::nullopt;
  const std::string_view size = line->second;
  const auto [end, problem] = std::from_chars(size.data(), size.data() + size.size(), pointer.size);
  if (problem != std::errc() || end != size.data() + size.size()) return std::nullopt;
  if (pointer.size > uint64_t{1} << 62) return std::nullopt;
  if (!rest.empty()) return std::nullopt;
  return pointer;
}

}  // namespace holdfast::git
