#include "cli/quantize_gguf.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cli {
namespace {

constexpr codec::GgmlType written_types[] = {codec::GgmlType::f16, codec::GgmlType::q8_0,
                                             codec::GgmlType::q4_0, codec::GgmlType::q4_k};

Result<GgufVariant> write(io::Disk& disk, const GgufJob& job, const io::Path& unfinished) {
  const io::Path from = job.model;
  GgufVariant out;
  {
    TRY(const std::unique_ptr<io::WriteFile> file, disk.create(unfinished));
    if (from.extension() == ".gguf") {
      TRY(out.made, model::requantize_gguf(disk, from, job.wish, *file));
    } else {
      TRY(out.made, model::export_gguf(disk, from, job.wish, *file));
    }
  }
  TRY(const model::TextGenerator original, model::TextGenerator::open(disk, from));
  TRY(const model::TextGenerator variant, model::TextGenerator::open(disk, unfinished));
  const auto threads = tensor::make_threads(2);
  TRY(out.change, compare_writers(original, variant, job.texts, *threads));
  TRY_DONE(check_drop(out.change, job.drop_max));
  TRY_DONE(disk.rename(unfinished, job.out));
  TRY_DONE(disk.sync_directory(io::Path(job.out).parent_path()));
  return out;
}

}  // namespace

std::optional<codec::GgmlType> gguf_type_from_name(std::string_view name) {
  std::string upper(name);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  for (const codec::GgmlType type : written_types)
    if (codec::ggml_type_row(type).name == upper) return type;
  return std::nullopt;
}

Result<GgufVariant> write_gguf_variant(io::Disk& disk, const GgufJob& job) {
  io::Path unfinished = job.out;
  unfinished.replace_extension(".part.gguf");
  if (disk.stat(unfinished).ok()) TRY_DONE(disk.remove(unfinished));  // What a run that was killed left.
  auto out = write(disk, job, unfinished);
  if (!out.ok()) {
    [[maybe_unused]] const Status gone = disk.remove(unfinished);
  }
  return out;
}

}  // namespace holdfast::cli
