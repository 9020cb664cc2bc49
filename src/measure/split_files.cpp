#include "measure/split_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace holdfast::measure {
namespace {

struct Ending {
  std::string_view text;
  DataFormat format;
};
constexpr std::array endings = {Ending{".parquet", DataFormat::parquet},
                                Ending{".jsonl", DataFormat::json_lines},
                                Ending{".json", DataFormat::json_lines}, Ending{".csv", DataFormat::csv}};
constexpr std::array<std::string_view, 2> folders = {"", "data/"};
constexpr size_t part_digits = 5;

// "00001-of-00004" → 4.
std::optional<size_t> parts_of(std::string_view middle) {
  constexpr std::string_view of = "-of-";
  if (middle.size() != 2 * part_digits + of.size() || middle.substr(part_digits, of.size()) != of)
    return std::nullopt;
  size_t count = 0;
  const std::string_view digits = middle.substr(part_digits + of.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc() || end != digits.data() + digits.size() || count == 0) return std::nullopt;
  return count;
}

struct Found {
  std::vector<DataFile> files;
  size_t wanted = 0;  // Parts.
};

// Those of `paths` that are files of `folder` itself, in order.
std::vector<std::string_view> names_in(std::span<const std::string> paths, std::string_view folder) {
  std::vector<std::string_view> names;
  for (const std::string_view path : paths)
    if (path.starts_with(folder) && path.find('/', folder.size()) == std::string_view::npos)
      names.push_back(path.substr(folder.size()));
  std::sort(names.begin(), names.end());
  return names;
}

Found find(std::span<const std::string_view> names, std::string_view folder, std::string_view split,
           const Ending& ending) {
  Found found;
  for (const std::string_view whole : names) {
    std::string_view name = whole;
    if (!name.starts_with(split) || !name.ends_with(ending.text)) continue;
    name.remove_prefix(split.size());
    if (name.size() < ending.text.size()) continue;
    name.remove_suffix(ending.text.size());
    const DataFile file{fmt::format("{}{}", folder, whole), ending.format};
    if (name.empty()) return {{file}, 1};
    if (!name.starts_with('-')) continue;
    const auto parts = parts_of(name.substr(1));
    if (!parts) continue;
    found.files.push_back(file);
    found.wanted = *parts;
  }
  return found;
}

}  // namespace

Result<std::vector<DataFile>> files_of_split(std::span<const std::string> paths, std::string_view split) {
  for (const std::string_view folder : folders) {
    const std::vector<std::string_view> names = names_in(paths, folder);
    for (const Ending& ending : endings) {
      Found found = find(names, folder, split, ending);
      if (found.files.empty()) continue;
      if (found.files.size() != found.wanted)
        return fail(Reason::bad_request,
                    fmt::format("the split {} has {} files of {}", split, found.files.size(), found.wanted));
      return std::move(found.files);
    }
  }
  return fail(
      Reason::entry_not_found,
      fmt::format("the data has no split {}: no {}.jsonl, .csv or .parquet, nor parts of it", split, split));
}

}  // namespace holdfast::measure
