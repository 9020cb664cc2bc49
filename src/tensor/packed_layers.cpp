#include "tensor/packed_layers.h"

#include <algorithm>

#include "io/temporary.h"

namespace holdfast::tensor {

PackedLayers::PackedLayers(io::Disk& disk, const io::Path& file, std::string key, Random& random)
    : disk_(disk),
      file_(file),
      unfinished_(file.parent_path() / io::temporary_name(random, file.filename().string())),
      key_(std::move(key)) {
  (void)map();  // None, or not ours: it will be written.
}

PackedLayers::~PackedLayers() {
  if (out_ != nullptr) (void)disk_.remove(unfinished_);
}

Status PackedLayers::map() {
  TRY(std::unique_ptr<io::MappedFile> mapped, disk_.map(file_));
  TRY(std::vector<PackedEntry> entries, read_packed_table(mapped->bytes(), key_));
  if (reinterpret_cast<uintptr_t>(mapped->bytes().data()) % packed_alignment != 0)
    return fail(Code::unavailable, "a mapping that kernels cannot read in place");
  for (PackedEntry& entry : entries) {
    std::string name = entry.name;
    entries_.insert_or_assign(std::move(name), std::move(entry));
  }
  mapped_ = std::move(mapped);
  return Done{};
}

std::unique_ptr<const Linear> PackedLayers::find(std::string_view name, const LinearShape& shape,
                                                 Compute compute) const {
  if (mapped_ == nullptr) return nullptr;
  const auto found = entries_.find(std::string(name));
  if (found == entries_.end()) return nullptr;
  const PackedEntry& entry = found->second;
  if (entry.precision != compute.precision || entry.shape.outputs != shape.outputs ||
      entry.shape.inputs != shape.inputs || entry.shape.layout != shape.layout)
    return nullptr;
  const auto* numbers = reinterpret_cast<const float*>(mapped_->bytes().data() + entry.offset);
  return make_packed_linear({numbers, entry.numbers}, shape, compute);
}

void PackedLayers::note(std::string name, const LinearShape& shape, Compute compute, const Linear& layer) {
  if (is_mapped() || !writing_.ok() || layer.packed().empty() || name.size() > packed_name_bytes_max ||
      written_.size() == packed_layers_max)
    return;
  const auto same = [&name](const PackedEntry& one) { return one.name == name; };
  if (std::any_of(written_.begin(), written_.end(), same)) return;  // A layer that the model repeats.
  writing_ = write(layer, {std::move(name), shape, compute.precision, 0, layer.packed().size()});
}

Status PackedLayers::write(const Linear& layer, PackedEntry entry) {
  if (out_ == nullptr) {
    TRY(out_, disk_.create(unfinished_));
    TRY_DONE(out_->append(Bytes(packed_head_bytes)));
  }
  const uint64_t past = out_->size() % packed_alignment;
  if (past != 0) TRY_DONE(out_->append(Bytes(packed_alignment - past)));
  entry.offset = out_->size();
  TRY_DONE(out_->append(std::as_bytes(layer.packed())));
  written_.push_back(std::move(entry));
  return Done{};
}

Status PackedLayers::publish() {
  TRY_DONE(writing_);
  if (out_ == nullptr) return fail(Code::invalid, "there is no layer to keep");
  const PackedEnds ends = write_packed_ends(written_, out_->size(), key_);
  TRY_DONE(out_->append(ends.table));
  TRY_DONE(out_->write_at(0, ends.head));
  TRY_DONE(out_->sync());
  return disk_.rename(unfinished_, file_);
}

Status PackedLayers::save() {
  const Status published = publish();
  if (!published.ok() && out_ != nullptr) (void)disk_.remove(unfinished_);
  out_ = nullptr;
  written_.clear();
  if (!published.ok()) return published;
  return map();
}

}  // namespace holdfast::tensor
