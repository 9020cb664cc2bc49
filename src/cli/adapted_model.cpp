#include "cli/adapted_model.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "cli/model_source.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

constexpr size_t config_bytes_max = 1 << 20;

// What an adapter's config calls its base.
std::string base_of(io::Disk& disk, const io::Path& folder) {
  const auto text = io::read_text(disk, folder / "adapter_config.json", config_bytes_max);
  if (!text.ok()) return {};
  const auto config = codec::parse_json_object(text.value());
  if (!config.ok()) return {};
  const auto name = codec::json_text_if(config.value(), "base_model_name_or_path");
  return name.ok() ? std::string(name.value().value_or("")) : std::string();
}

}  // namespace

Result<std::string> adapter_place(World& world, const Arguments& arguments) {
  const auto named = arguments.value("--adapter");
  if (!named) return std::string();
  TRY(Source source, open_source(world, arguments, *named, RemoteType::model));
  return std::move(source.folder);
}

Result<model::TextGenerator> open_adapted(UserFiles& files, const std::string& place,
                                          const tensor::Compute& compute, const std::string& adapter,
                                          const model::LayerStore* store) {
  using Adapters = model::DecoderModel::Adapters;
  io::Disk& disk = files.disk();
  const io::Path at = files.path(place);
  if (disk.stat(at / "adapter_config.json").ok() && !disk.stat(at / "config.json").ok())
    return fail(Reason::bad_request,
                fmt::format("this is an adapter of '{}': name that as the model, and this with --adapter",
                            base_of(disk, at)));
  if (adapter.empty()) return model::TextGenerator::open(disk, at, compute, Adapters::none, store);
  TRY(const model::TextGenerator base,
      model::TextGenerator::open(disk, at, compute, Adapters::may_come, store));
  return base.with_adapter(disk, files.path(adapter));
}

}  // namespace holdfast::cli
