#include "tensor/weights.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <set>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "codec/torch_checkpoint.h"

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

// In the order in which they are looked for.
struct Place {
  std::string_view file, index;
};
constexpr Place places[] = {{"model.safetensors", "model.safetensors.index.json"},
                            {"pytorch_model.bin", "pytorch_model.bin.index.json"}};

// Copies of tensors that lie in their file in another order, together: they could repeat one storage.
constexpr uint64_t copies_of_file_max = 4;

using NamedView = std::pair<std::string, TensorView>;
using Files = std::vector<std::unique_ptr<io::MappedFile>>;

Result<std::vector<NamedView>> views_of_safetensors(ByteView bytes) {
  TRY(codec::SafetensorsHeader header, codec::parse_safetensors_header(bytes, bytes.size()));
  std::vector<NamedView> out;
  for (codec::SafetensorsEntry& entry : header.entries)
    out.emplace_back(std::move(entry.name),
                     TensorView{entry.dtype, std::move(entry.shape),
                                bytes.subspan(header.data_offset + entry.begin, entry.end - entry.begin)});
  return out;
}

// A tensor in row-major order whose elements lie otherwise in its file.
class Copy final : public io::MappedFile {
 public:
  explicit Copy(const codec::TorchTensor& tensor) { (void)tensor.row_major(bytes_); }
  ByteView bytes() const override { return bytes_; }

 private:
  Bytes bytes_;
};

// Copies that are needed are put beside the files.
Result<std::vector<NamedView>> views_of_torch(ByteView bytes, Files& files) {
  TRY(const std::vector<codec::TorchTensor> tensors, codec::read_torch_checkpoint(bytes));
  std::vector<NamedView> out;
  uint64_t copied = 0;
  for (const codec::TorchTensor& tensor : tensors) {
    ByteView data = tensor.storage;
    if (!tensor.is_contiguous()) {
      copied += tensor.row_major_bytes();
      if (copied / copies_of_file_max > bytes.size())
        return fail(Reason::bad_request,
                    "torch checkpoint: too many tensors whose elements are not in order");
      files.push_back(std::make_unique<Copy>(tensor));
      data = files.back()->bytes();
    }
    out.emplace_back(tensor.name, TensorView{tensor.dtype, tensor.shape, data});
  }
  return out;
}

}  // namespace

bool Weights::are_in(io::Disk& disk, const io::Path& folder) {
  return std::any_of(std::begin(places), std::end(places), [&](const Place& place) {
    return disk.stat(folder / place.file).ok() || disk.stat(folder / place.index).ok();
  });
}

Result<Weights> Weights::open(io::Disk& disk, const io::Path& folder) {
  Weights weights;
  for (const Place& place : places) {
    if (disk.stat(folder / place.file).ok()) {
      TRY_DONE(weights.add_file(disk, folder / place.file));
      return weights;
    }
    auto text = io::read_text(disk, folder / place.index, index_bytes_max);
    if (!text.ok()) {
      if (text.error().code == Code::not_found) continue;
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
  return fail(Reason::entry_not_found,
              "the folder has no model.safetensors, no pytorch_model.bin and no index of shards");
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
  files_.push_back(std::move(mapped));
  const ByteView bytes = files_.back()->bytes();
  std::vector<NamedView> views;
  if (codec::is_torch_checkpoint(bytes)) {
    TRY(views, views_of_torch(bytes, files_));
  } else {
    TRY(views, views_of_safetensors(bytes));
  }
  for (auto& [name, view] : views)
    if (!tensors_.emplace(name, std::move(view)).second)
      return fail(Reason::bad_request, "two shards have '" + name.substr(0, 120) + "'");
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
