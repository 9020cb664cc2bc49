#include "exchange/provenance.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/hex.h"
#include "codec/sha256.h"

namespace holdfast::exchange {
namespace {

// A value stays on its line.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 500)) out.push_back(static_cast<unsigned char>(c) < 32 ? ' ' : c);
  return out;
}

bool fits(std::string_view name, std::string_view pattern) {
  // The last star is tried again one character further.
  size_t at = 0, star = std::string_view::npos, tried = 0, p = 0;
  while (at < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = at;
    } else if (p < pattern.size() && pattern[p] == name[at]) {
      ++p;
      ++at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++tried;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::string provenance_lines(const Provenance& provenance) {
  std::string out;
  const auto line = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) out += fmt::format("{}: {}\n", key, one_line(value));
  };
  line("Source", provenance.source);
  line("Source-Address", provenance.address);
  line("Source-Revision", provenance.revision);
  line("Fetched", provenance.fetched);
  line("Files-Digest", provenance.digest);
  line("License", provenance.license);
  for (const std::string& name : provenance.base_models) line("Base-Model", name);
  for (const std::string& name : provenance.datasets) line("Dataset", name);
  return out;
}

std::optional<Provenance> read_provenance(std::string_view message) {
  Provenance out;
  for (size_t begin = 0; begin < message.size();) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    const std::string_view line = message.substr(begin, end - begin);
    begin = end + 1;
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const std::string value(line.substr(colon + 2));
    if (key == "Source") out.source = value;
    if (key == "Source-Address") out.address = value;
    if (key == "Source-Revision") out.revision = value;
    if (key == "Fetched") out.fetched = value;
    if (key == "Files-Digest") out.digest = value;
    if (key == "License") out.license = value;
    if (key == "Base-Model") out.base_models.push_back(value);
    if (key == "Dataset") out.datasets.push_back(value);
  }
  if (out.source.empty() || out.digest.empty()) return {};
  return out;
}

std::string digest_of_files(std::vector<FileIdentity> files) {
  std::sort(files.begin(), files.end(),
            [](const FileIdentity& a, const FileIdentity& b) { return a.path < b.path; });
  codec::Sha256 hash;
  for (const FileIdentity& file : files)
    hash.update(as_bytes(fmt::format("{} {} {}\n", file.path, file.size, file.etag)));
  return codec::to_hex(hash.finish());
}

bool fits_any(std::string_view name, std::string_view patterns) {
  for (size_t begin = 0; begin <= patterns.size();) {
    const size_t end = std::min(patterns.find(',', begin), patterns.size());
    const std::string_view pattern = patterns.substr(begin, end - begin);
    if (!pattern.empty() && fits(name, pattern)) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace holdfast::exchange
