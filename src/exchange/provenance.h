#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::exchange {

// Where the files of a commit come from, kept as lines "Key: value" at the end of its message, so that every
// clone and copy carries it and the files stay those of the source, byte for byte.
struct Provenance {
  std::string source{};    // "upstream", "hub-cache", "git-lfs" or "folder".
  std::string address{};   // Of the upstream, or the folder's name.
  std::string revision{};  // The commit there; may be empty.
  std::string fetched{};   // When.
  std::string digest{};    // SHA-256 over the lines "PATH SIZE ETAG" of all files in order.
  std::string license{};   // What its card says.
  std::vector<std::string> base_models{}, datasets{};
};

std::string provenance_lines(const Provenance& provenance);
// Nothing where the text holds none: an unknown source.
std::optional<Provenance> read_provenance(std::string_view message);

// The SHA-256 that stands in a record; files in any order.
struct FileIdentity {
  std::string path;
  uint64_t size = 0;
  std::string etag;
};
std::string digest_of_files(std::vector<FileIdentity> files);

// Whether a name fits a comma-separated list of patterns in which * stands for any characters.
bool fits_any(std::string_view name, std::string_view patterns);

}  // namespace holdfast::exchange
