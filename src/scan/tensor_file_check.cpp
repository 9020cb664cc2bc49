#include <fmt/format.h>

#include "codec/gguf.h"
#include "codec/safetensors.h"
#include "scan/model_formats.h"
#include "scan/template_check.h"

namespace holdfast::scan {
namespace {

using codec::GgufValueType;

constexpr uint64_t key_bytes_max = 1 << 16;
constexpr int array_depth_max = 8;

Error bad(std::string what) { return fail(Code::corrupt, std::move(what)); }

class Head {
 public:
  Head(Source& source, const Place& place, FileReport& report)
      : source_(source), cursor_(source, 4), place_(place), report_(report) {}

  Status walk() {
    TRY(const uint64_t version, cursor_.number(4));
    if (version < 2 || version > 3) return bad(fmt::format("version {} does not exist", version));
    TRY(const uint64_t tensors, cursor_.number(8));
    TRY(const uint64_t values, cursor_.number(8));
    // A key takes 12 bytes and more, a tensor 24.
    if (values > cursor_.left() / 12 || tensors > cursor_.left() / 24)
      return bad("it counts more entries than it has bytes for");
    for (uint64_t i = 0; i < values; ++i) TRY_DONE(value());
    for (uint64_t i = 0; i < tensors; ++i) TRY_DONE(tensor());
    return Done{};
  }

 private:
  Result<std::string> text(uint64_t bytes_max) {
    TRY(const uint64_t length, cursor_.number(8));
    if (length > cursor_.left()) return bad("a text goes past the end of the file");
    if (length > bytes_max) return bad("a name is too long");
    const uint64_t at = cursor_.position();
    TRY_DONE(cursor_.skip(length));
    TRY(const Bytes bytes, read_some(source_, at, length));
    return std::string(as_text(bytes));
  }
  Status skip_text() {
    TRY(const uint64_t length, cursor_.number(8));
    if (length > cursor_.left()) return bad("a text goes past the end of the file");
    return cursor_.skip(length);
  }
  static uint64_t width_of(GgufValueType type) {
    switch (type) {
      case GgufValueType::u8:
      case GgufValueType::i8:
      case GgufValueType::boolean:
        return 1;
      case GgufValueType::u16:
      case GgufValueType::i16:
        return 2;
      case GgufValueType::u32:
      case GgufValueType::i32:
      case GgufValueType::f32:
        return 4;
      case GgufValueType::u64:
      case GgufValueType::i64:
      case GgufValueType::f64:
        return 8;
      case GgufValueType::text:
      case GgufValueType::array:
        return 0;
    }
    return 0;
  }
  Status skip_value(uint64_t kind, int depth) {
    if (kind > 12) return bad("a value's type does not exist");
    const auto type = static_cast<GgufValueType>(kind);
    if (type == GgufValueType::text) return skip_text();
    if (type != GgufValueType::array) return cursor_.skip(width_of(type));
    if (depth >= array_depth_max) return bad("arrays are nested too deep");
    TRY(const uint64_t inner, cursor_.number(4));
    TRY(const uint64_t count, cursor_.number(8));
    if (inner > 12) return bad("an array's type does not exist");
    const uint64_t width = width_of(static_cast<GgufValueType>(inner));
    if (count > cursor_.left() / (width == 0 ? 8 : width))
      return bad("an array goes past the end of the file");
    if (width > 0) return cursor_.skip(count * width);
    for (uint64_t i = 0; i < count; ++i) TRY_DONE(skip_value(inner, depth + 1));
    return Done{};
  }
  Status value() {
    TRY(const std::string key, text(key_bytes_max));
    TRY(const uint64_t kind, cursor_.number(4));
    if (kind == static_cast<uint64_t>(GgufValueType::text) && key.starts_with("tokenizer.chat_template")) {
      TRY(const std::string found, text(16 << 20));
      Place within = place_;
      within.member += (within.member.empty() ? "" : "!") + key.substr(0, 100);
      check_template(found, within, report_);
      return Done{};
    }
    return skip_value(kind, 0);
  }
  Status tensor() {
    TRY([[maybe_unused]] const std::string name, text(key_bytes_max));
    TRY(const uint64_t rank, cursor_.number(4));
    if (rank > codec::gguf_rank_max) return bad("a tensor has too many dimensions");
    uint64_t elements = 1;
    for (uint64_t i = 0; i < rank; ++i) {
      TRY(const uint64_t extent, cursor_.number(8));
      if (extent != 0 && elements > (uint64_t{1} << 60) / extent) return bad("a tensor's extents overflow");
      elements *= extent;
    }
    TRY_DONE(cursor_.skip(4));
    TRY(const uint64_t offset, cursor_.number(8));
    if (offset > source_.size()) return bad("a tensor lies past the end of the file");
    return Done{};
  }

  Source& source_;
  Cursor cursor_;
  const Place& place_;
  FileReport& report_;
};

}  // namespace

Status check_safetensors(Source& source, const Place& place, FileReport& report) {
  const auto tell = [&](const Error& error) {
    report.add({Topic::format, "safetensors.header", Severity::warning, place, error.message});
  };
  TRY(const Bytes first, read_some(source, 0, 8));
  const auto prefix = codec::safetensors_prefix_bytes(first);
  if (!prefix.ok()) {
    tell(prefix.error());
    return Done{};
  }
  TRY(const Bytes header, read_some(source, 0, prefix.value()));
  const auto parsed = codec::parse_safetensors_header(header, source.size());
  if (!parsed.ok()) tell(parsed.error());
  return Done{};
}

Status check_gguf(Source& source, const Place& place, FileReport& report) {
  const Status walked = Head(source, place, report).walk();
  if (walked.ok()) return Done{};
  if (walked.error().code != Code::corrupt) return walked;
  report.add({Topic::format, "gguf.header", Severity::warning, place,
              "the header cannot be right: " + walked.error().message});
  return Done{};
}

}  // namespace holdfast::scan
