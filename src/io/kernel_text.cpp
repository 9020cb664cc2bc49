#include "io/kernel_text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast::io {

constexpr size_t text_bytes_max = 16 << 10;

std::optional<std::string> read_kernel_text(Disk& disk, const Path& path) {
  const auto file = disk.open(path);
  if (!file.ok()) return std::nullopt;
  std::string text;
  std::array<std::byte, 4096> piece;
  while (text.size() < text_bytes_max) {
    const auto got = file.value()->read_at(text.size(), piece);
    if (!got.ok()) return std::nullopt;
    if (got.value() == 0) break;
    text += as_text(ByteView(piece).first(got.value()));
  }
  return text;
}

std::optional<uint64_t> number_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return number;
}

std::optional<uint64_t> field_of(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(name)) return number_of(line.substr(name.size()));
    at += line.size() + 1;
  }
  return std::nullopt;
}

}  // namespace holdfast::io
