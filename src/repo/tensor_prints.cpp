#include "repo/tensor_prints.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <set>

#include "codec/safetensors.h"
#include "codec/sha256.h"
#include "scan/source.h"
#include "scan/zip.h"

namespace holdfast::repo {
namespace {

constexpr uint64_t tensor_bytes_min = 4096;
constexpr size_t piece_bytes = 1 << 20, different_min = 200;

bool is_number_of_weights(codec::Dtype dtype) {
  using enum codec::Dtype;
  static constexpr auto all = std::to_array({f64, f32, f16, bf16, f8_e4m3, f8_e5m2});
  return std::ranges::find(all, dtype) != all.end();
}

// How many different pairs of bytes stand in a piece: trained weights have thousands.
size_t different_pairs(ByteView bytes) {
  std::bitset<65536> seen;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2)
    seen.set(static_cast<size_t>(bytes[i]) << 8 | static_cast<size_t>(bytes[i + 1]));
  return seen.count();
}

class Prints {
 public:
  Status add(scan::Source& file, uint64_t begin, uint64_t length) {
    if (length < tensor_bytes_min || found_.size() >= tensors_max) return Done{};
    codec::Sha256 hash;
    Bytes buffer(std::min<uint64_t>(piece_bytes, length));
    for (uint64_t at = 0; at < length;) {
      const auto into = std::span(buffer).first(std::min<uint64_t>(buffer.size(), length - at));
      TRY(const size_t got, file.read_at(begin + at, into));
      if (got == 0) return fail(Code::corrupt, "a file is shorter than its header says");
      if (at == 0 && different_pairs(ByteView(into).first(got)) < different_min) return Done{};
      hash.update(ByteView(into).first(got));
      at += got;
    }
    const auto whole = hash.finish();
    TensorPrint print{.digest = {}, .bytes = length};
    std::copy_n(whole.begin(), print.digest.size(), print.digest.begin());
    if (seen_.insert(print.digest).second) found_.push_back(print);
    return Done{};
  }
  std::vector<TensorPrint> take() { return std::move(found_); }

 private:
  std::set<std::array<std::byte, 16>> seen_;
  std::vector<TensorPrint> found_;
};

}  // namespace

Result<std::vector<TensorPrint>> tensor_prints(scan::Source& file, std::string_view path) {
  Prints prints;
  TRY(const Bytes first, scan::read_some(file, 0, 8));
  if (path.ends_with(".safetensors") && first.size() == 8) {
    const auto prefix = codec::safetensors_prefix_bytes(first);
    if (!prefix.ok()) return std::vector<TensorPrint>();
    TRY(const Bytes head, scan::read_some(file, 0, prefix.value()));
    const auto header = codec::parse_safetensors_header(head, file.size());
    if (!header.ok()) return std::vector<TensorPrint>();
    for (const codec::SafetensorsEntry& entry : header.value().entries)
      if (is_number_of_weights(entry.dtype))
        TRY_DONE(prints.add(file, header.value().data_offset + entry.begin, entry.end - entry.begin));
  } else if (scan::has_zip_magic(first)) {
    const auto directory = scan::read_zip(file);
    if (!directory.ok()) return std::vector<TensorPrint>();
    for (const scan::ZipMember& member : directory.value().members) {
      if (member.method != 0 || member.name.find("/data/") == std::string::npos) continue;
      const auto begin = scan::member_begin(file, member);
      if (!begin.ok() || begin.value() + member.size > file.size()) continue;
      TRY_DONE(prints.add(file, begin.value(), member.size));
    }
  }
  return prints.take();
}

}  // namespace holdfast::repo
