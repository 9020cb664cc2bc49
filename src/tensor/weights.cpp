#include "tensor/weights.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <set>

#include "codec/json.h"
#include "codec/safetensors.h"

namespace holdfast::tensor {
namespace {

constexpr size_t index_bytes_max = 64 << 20;
constexpr size_t shards_max = 1024;

struct Index {
  std::set<std::string> files, tensors;
};

// {"weight_map": {tensor: file}}. A file's name is one path segment: the index comes from outside.
Result<Index> parse_index(std::string_view text) {
  TRY(const boost::json::object root,
      codec::parse_json_object(text, {.depth_max = 8, .bytes_max = index_bytes_max}));
  TRY(const boost::json::object* map, codec::json_object(root, "weight_map"));
  Index index;
  for (const auto& [name, file] : *map) {
    if (!file.is_string()) return fail(Reason::bad_request, "the weight index names a file that is not text");
    const std::string text_of_file(file.get_string());
    if (text_of_file.empty() || text_of_file.find('/') != std::string::npos || text_of_file.starts_with('.'))
      return fail(Reason::bad_request, "the weight index names a file outside its folder");
    index.files.insert(text_of_file);
    index.tensors.insert(std::string(name));
  }
  if (index.files.size() > shards_max)
    return fail(Reason::bad_request, "the weight index names too many files");
  return index;
}

constexpr std::string_view file_name = "model.safetensors", index_name = "model.safetensors.index.json";

}  // namespace

bool Weights::are_in(io::Disk& disk, const io::Path& folder) {
  return disk.stat(folder / file_name).ok() || disk.stat(folder / index_name).ok();
}

Result<Weights> Weights::open(io::Disk& disk, const io::Path& folder) {
  Weights weights;
  if (disk.stat(folder / file_name).ok()) {
    TRY_DONE(weights.add_file(disk, folder / file_name));
    return weights;
  }
  auto text = io::read_text(disk, folder / index_name, index_bytes_max);
  if (!text.ok()) {
    if (text.error().code == Code::not_found)
      return fail(Reason::entry_not_found, "the folder has no model.safetensors and no index of shards");
    return std::move(text).error();
  }
  TRY(const Index index, parse_index(text.value()));
  for (const std::string& file : index.files) TRY_DONE(weights.add_file(disk, folder / file));
  for (const std::string& name : index.tensors)
    if (weights.find(name) == nullptr)
      return fail(Reason::bad_request,
                  "the weight index promises '" + name.substr(0, 120) + "', which no file has");
  return weights;
}

Result<Weights> Weights::open_file(io::Disk& disk, const io::Path& file) {
  Weights weights;
  TRY_DONE(weights.add_file(disk, file));
  return weights;
}

Weights Weights::borrowed(std::vector<std::pair<std::string, TensorView>> tensors) {
  Weights out;
  for (auto& [name, view] : tensors) out.tensors_.emplace(std::move(name), std::move(view));
  return out;
}

Weights Weights::renamed(const Weights& all, std::string_view prefix) {
  Weights out;
  for (const auto& [name, view] : all.tensors_)
    if (name.starts_with(prefix)) out.tensors_.emplace(name.substr(prefix.size()), view);
  return out;
}

Status Weights::add_file(io::Disk& disk, const io::Path& file) {
  TRY(std::unique_ptr<io::MappedFile> mapped, disk.map(file));
  const ByteView bytes = mapped->bytes();
  TRY(codec::SafetensorsHeader header, codec::parse_safetensors_header(bytes, bytes.size()));
  for (codec::SafetensorsEntry& entry : header.entries) {
    const ByteView data = bytes.subspan(header.data_offset + entry.begin, entry.end - entry.begin);
    TensorView view{entry.dtype, std::move(entry.shape), data};
    if (!tensors_.emplace(entry.name, std::move(view)).second)
      return fail(Reason::bad_request, "two shards have '" + entry.name.substr(0, 120) + "'");
  }
  files_.push_back(std::move(mapped));
  return Done{};
}

const TensorView* Weights::find(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  return found == tensors_.end() ? nullptr : &found->second;
}

std::vector<std::string> Weights::names() const {
  std::vector<std::string> out;
  for (const auto& [name, view] : tensors_) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace holdfast::tensor
