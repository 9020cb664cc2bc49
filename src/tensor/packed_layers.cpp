#include "tensor/packed_layers.h"

#include <sys/mman.h>

#include <algorithm>

#include "io/temporary.h"
#include "tensor/block_linear.h"

namespace holdfast::tensor {
namespace {

// What is written at once: whole huge pages, as file systems that keep files in such pages choose them by it.
constexpr size_t piece_bytes = 8 << 20;

uint64_t aligned(uint64_t offset) {
  return (offset + packed_alignment - 1) / packed_alignment * packed_alignment;
}

// Collects what is written until a piece is full.
class Pieces {
 public:
  explicit Pieces(io::WriteFile& out) : out_(out) { piece_.reserve(piece_bytes); }

  Status append(ByteView bytes) {
    while (!bytes.empty()) {
      const size_t some = std::min(bytes.size(), piece_bytes - piece_.size());
      piece_.insert(piece_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(some));
      bytes = bytes.subspan(some);
      if (piece_.size() == piece_bytes) TRY_DONE(flush());
    }
    return Done{};
  }
  Status pad_to(uint64_t offset) { return append(Bytes(offset - size())); }
  Status flush() {
    TRY_DONE(out_.append(piece_));
    piece_.clear();
    return Done{};
  }
  uint64_t size() const { return out_.size() + piece_.size(); }

 private:
  io::WriteFile& out_;
  Bytes piece_;
};

std::unique_ptr<const Linear> borrow(std::span<const float> numbers, const PackedForm& form, Isa isa) {
  const Compute compute{isa, form.precision};
  return form.blocks ? make_packed_block_linear(numbers, form.shape, *form.blocks, compute)
                     : make_packed_linear(numbers, form.shape, compute);
}

}  // namespace

PackedLayers::PackedLayers(io::Disk& disk, const io::Path& file, std::string key, Random& random)
    : disk_(disk),
      file_(file),
      unfinished_(file.parent_path() / io::temporary_name(random, file.filename().string())),
      key_(std::move(key)) {
  (void)map();  // None, or not ours: it will be written.
}

Status PackedLayers::map() {
  TRY(std::unique_ptr<io::MappedFile> mapped, disk_.map(file_));
  const ByteView bytes = mapped->bytes();
  if (reinterpret_cast<uintptr_t>(bytes.data()) % packed_alignment != 0)
    return fail(Code::unavailable, "a mapping that kernels cannot read in place");
  // A wish: what has to be read from the disk comes in huge pages, and is mapped by them.
  if (!bytes.empty()) ::madvise(const_cast<std::byte*>(bytes.data()), bytes.size(), MADV_HUGEPAGE);
  TRY(std::vector<PackedEntry> entries, read_packed_table(bytes, key_));
  for (PackedEntry& entry : entries) {
    std::string name = entry.name;
    entries_.insert_or_assign(std::move(name), std::move(entry));
  }
  mapped_ = std::move(mapped);
  return Done{};
}

std::unique_ptr<const Linear> PackedLayers::find(std::string_view name, const PackedForm& form,
                                                 Isa isa) const {
  if (mapped_ == nullptr) return nullptr;
  const auto found = entries_.find(std::string(name));
  if (found == entries_.end() || found->second.form != form) return nullptr;
  const PackedEntry& entry = found->second;
  return borrow({reinterpret_cast<const float*>(mapped_->bytes().data() + entry.offset), entry.numbers}, form,
                isa);
}

std::unique_ptr<const Linear> PackedLayers::keep(std::string name, const PackedForm& form, Isa isa,
                                                 std::unique_ptr<const Linear> layer) {
  if (is_mapped() || layer->packed().empty() || name.size() > packed_name_bytes_max) return layer;
  std::unique_ptr<const Linear> borrowed = borrow(layer->packed(), form, isa);
  const std::lock_guard lock(mutex_);
  if (borrowed == nullptr || taken_.size() == packed_layers_max || taken_.contains(name)) return layer;
  taken_.emplace(std::move(name), Taken{form, std::move(layer)});
  return borrowed;
}

Status PackedLayers::write(io::WriteFile& out, Lasts lasts) const {
  std::vector<PackedEntry> entries;
  uint64_t end = packed_head_bytes;
  for (const auto& [name, taken] : taken_) {
    const ByteView bytes = std::as_bytes(taken.layer->packed());
    entries.push_back({name, taken.form, aligned(end), bytes.size() / sizeof(float), packed_sum(bytes)});
    end = entries.back().offset + bytes.size();
  }
  const PackedEnds ends = write_packed_ends(entries, end, key_);
  TRY(const uint64_t left, disk_.free_bytes());
  if (left / 2 < end + ends.table.size()) return fail(Reason::disk_full, "the disk has no room to spare");
  Pieces pieces(out);
  TRY_DONE(pieces.append(ends.head));
  for (const PackedEntry& entry : entries) {
    TRY_DONE(pieces.pad_to(entry.offset));
    TRY_DONE(pieces.append(std::as_bytes(taken_.at(entry.name).layer->packed())));
  }
  TRY_DONE(pieces.append(ends.table));
  TRY_DONE(pieces.flush());
  return lasts == Lasts::durably ? out.sync() : Done{};
}

uint64_t PackedLayers::mapped_bytes() const {
  const std::lock_guard lock(mutex_);
  return mapped_ != nullptr && taken_.empty() ? mapped_->bytes().size() : 0;
}

void PackedLayers::settle() {
  const std::lock_guard lock(mutex_);
  if (mapped_ != nullptr && taken_.empty()) mapped_->settle();
}

Status PackedLayers::save(Lasts lasts) {
  const std::lock_guard lock(mutex_);
  if (taken_.empty()) return fail(Code::invalid, "there is no layer to keep");
  TRY(std::unique_ptr<io::WriteFile> out, disk_.create(unfinished_));
  Status done = write(*out, lasts);
  out = nullptr;
  if (done.ok()) done = disk_.rename(unfinished_, file_);
  if (!done.ok()) {
    (void)disk_.remove(unfinished_);
    return done;
  }
  return map();
}

}  // namespace holdfast::tensor
