#include <algorithm>

#include "base/check.h"
#include "content/parts.h"
#include "content/probe.h"
#include "content/stored_xorb.h"

namespace holdfast::content {
namespace {

class ChunkReader final : public Reader {
 public:
  ChunkReader(Parts& parts, StoredFile file) : parts_(parts), file_(std::move(file)) {
    uint64_t end = 0;
    for (const FileTerm& term : file_.terms) ends_.push_back(end += term.length);
  }

  const FileInfo& info() const override { return file_.info; }

  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= file_.info.size) return size_t{0};
    into = into.first(std::min<uint64_t>(into.size(), file_.info.size - offset));
    size_t filled = 0;
    while (filled < into.size()) {
      TRY(const size_t got, read_some(offset + filled, into.subspan(filled)));
      CHECK(got > 0);
      filled += got;
    }
    parts_.probe.read(filled);
    return filled;
  }

 private:
  // Part of one chunk, or more of it.
  Result<size_t> read_some(uint64_t offset, std::span<std::byte> into) {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), offset);
    if (end == ends_.end()) return damaged();
    const FileTerm& term = file_.terms[static_cast<size_t>(end - ends_.begin())];
    TRY_DONE(use(term.xorb));
    const XorbTable& table = current_.xorb->table;
    if (!table.holds(term.chunks) || table.length(term.chunks) != term.length) return damaged();
    const uint64_t place = offset - (*end - term.length) + table.begin(term.chunks.first);

    // The chunk with `place`: most often the one after the chunk read last.
    uint32_t chunk = chunk_hint_;
    if (chunk >= table.size() || place < table.begin(chunk) || place >= table[chunk].end) {
      uint32_t low = term.chunks.first, high = term.chunks.end;
      while (low + 1 < high) {
        const uint32_t middle = low + (high - low) / 2;
        (table.begin(middle) <= place ? low : high) = middle;
      }
      chunk = low;
    }
    chunk_hint_ = chunk + 1;
    const size_t skip = static_cast<size_t>(place) - table.begin(chunk);
    into = into.first(std::min<size_t>(into.size(), table.length(chunk) - skip));
    if (skip + into.size() < table.length(chunk)) chunk_hint_ = chunk;
    TRY_DONE(read_chunk(chunk, skip, into));
    return into.size();
  }

  Status read_chunk(uint32_t chunk, size_t skip, std::span<std::byte> into) {
    const XorbTable& table = current_.xorb->table;
    const uint64_t data_at = table.stored_begin(chunk) + chunk_header_bytes;
    if (table[chunk].scheme == Scheme::raw) return read_fully(data_at + skip, into);
    if (decoded_xorb_ != current_.xorb->id || decoded_chunk_ != chunk) {
      stored_.resize(table[chunk].stored_end - data_at);
      TRY_DONE(read_fully(data_at, stored_));
      if (skip == 0 && into.size() == table.length(chunk)) return decode(table[chunk].scheme, into);
      decoded_.resize(table.length(chunk));
      decoded_xorb_ = 0;
      TRY_DONE(decode(table[chunk].scheme, decoded_));
      decoded_xorb_ = current_.xorb->id;
      decoded_chunk_ = chunk;
    }
    std::memcpy(into.data(), decoded_.data() + skip, into.size());
    return Done{};
  }

  Status decode(Scheme scheme, std::span<std::byte> into) {
    return decode_chunk(scheme, stored_, into).ok() ? Status(Done{}) : Status(damaged());
  }

  Status read_fully(uint64_t at, std::span<std::byte> into) const {
    TRY(const size_t got, current_.file->read_at(at, into));
    if (got != into.size()) return damaged();
    return Done{};
  }

  Status use(XorbId xorb) {
    if (current_.xorb != nullptr && current_.xorb->id == xorb) return Done{};
    TRY(current_, open_stored(parts_, xorb));
    chunk_hint_ = UINT32_MAX;
    return Done{};
  }

  static Error damaged() { return fail(Reason::data_corrupt, "stored bytes of this file are damaged"); }

  Parts& parts_;
  const StoredFile file_;
  std::vector<uint64_t> ends_;  // Of the terms within the file.
  StoredXorb current_;
  uint32_t chunk_hint_ = UINT32_MAX;
  Bytes stored_, decoded_;
  XorbId decoded_xorb_ = 0;  // Of what `decoded_` holds; 0: nothing.
  uint32_t decoded_chunk_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> make_reader(Parts& parts, StoredFile file) {
  return std::unique_ptr<Reader>(std::make_unique<ChunkReader>(parts, std::move(file)));
}

}  // namespace holdfast::content
