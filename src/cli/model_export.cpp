#include "cli/model_export.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/arguments.h"
#include "cli/connection.h"
#include "cli/count_flag.h"
#include "cli/model_source.h"
#include "cli/triton_layout.h"
#include "cli/user_files.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t config_bytes_max = 4 << 20, labels_max = 100'000;
constexpr size_t version_max = 1'000'000'000, batch_most = 65'536;

constexpr FlagRow flags[] = {
    {"--to", "triton", "The layout: triton, of Triton Inference Server's model repository."},
    {"--out", "FOLDER", "The repository; models and versions that are in it stay."},
    {"--name", "NAME", "What the model is called there [the last part of its name here]."},
    {"--version", "N", "Its version there [1]."},
    {"--batch-max", "N",
     "How many requests are computed at once, where the graph's first dimension is free [32]."},
    {"--json", {}, "One JSON line."},
    endpoint_flag,
    token_flag,
};

// The graph of a folder, as exporters lay them: on top or in onnx/.
Result<io::Path> graph_in(io::Disk& disk, const io::Path& place) {
  TRY(const io::Entry entry, disk.stat(place));
  if (!entry.is_directory) return place;
  for (const char* name : {"model.onnx", "onnx/model.onnx"})
    if (disk.stat(place / name).ok()) return place / name;
  return fail(
      Reason::bad_request,
      "there is no model.onnx in it, on top or in onnx/: Triton runs graphs, and this program writes none");
}

// Names of the classes by number, from config.json; none where it does not say them all.
std::vector<std::string> labels_of(io::Disk& disk, const io::Path& folder) {
  std::vector<std::string> out;
  const auto text = io::read_text(disk, folder / "config.json", config_bytes_max);
  if (!text.ok()) return out;
  const auto config = codec::parse_json_object(text.value());
  if (!config.ok()) return out;
  const auto names = codec::json_object_if(config.value(), "id2label");
  if (!names.ok() || names.value() == nullptr || names.value()->size() > labels_max) return out;
  for (size_t i = 0; i < names.value()->size(); ++i) {
    const json::value* label = names.value()->if_contains(std::to_string(i));
    if (label == nullptr || !label->is_string()) return {};
    out.emplace_back(label->get_string());
  }
  return out;
}

std::string name_of(const Source& source, const Arguments& arguments) {
  if (const auto given = arguments.value("--name")) return std::string(*given);
  const io::Path place(source.name.empty() ? source.folder : source.name);
  return place.extension() == ".onnx" ? place.stem().string() : place.filename().string();
}

Result<int> export_model(World& world, const Arguments& arguments) {
  if (arguments.value_or("--to", "") != "triton") return fail(Reason::bad_request, "--to is triton");
  if (!arguments.has("--out")) return fail(Reason::bad_request, "model export needs --out FOLDER");
  TRY(UserFiles files, UserFiles::open());
  TRY(const Source source, open_source(world, arguments, arguments.positionals()[0], RemoteType::model));
  TRY(const io::Path graph, graph_in(files.disk(), files.path(source.folder)));
  TritonModel model;
  model.name = name_of(source, arguments);
  if (model.name.empty() || model.name.find('/') != std::string::npos || model.name.starts_with('.'))
    return fail(Reason::bad_request, fmt::format("'{}' is no name of a model's folder", model.name));
  TRY(model.version, count_flag(arguments, "--version", 1, version_max));
  TRY(model.batch_max, count_flag(arguments, "--batch-max", 32, batch_most));
  io::Path folder = graph.parent_path();
  if (folder.filename() == "onnx") folder = folder.parent_path();
  model.labels = labels_of(files.disk(), folder);
  const std::string_view out = arguments.value_or("--out", "");
  TRY(const std::vector<std::string> written,
      write_triton_model(files.disk(), world.random(), graph, files.path(out), model));
  if (arguments.has("--json")) {
    world.print(codec::to_text(json::object{{"repository", out},
                                            {"model", model.name},
                                            {"version", model.version},
                                            {"files", json::array(written.begin(), written.end())}}) +
                "\n");
    return exit_done;
  }
  world.print(fmt::format("{} holds {}, version {}\n", out, model.name, model.version));
  for (const std::string& file : written) world.print(fmt::format("  {}\n", file));
  return exit_done;
}

int run_export(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const auto done = export_model(world, arguments.value());
  return done.ok() ? done.value() : report(world, done.error(), output);
}

}  // namespace

std::vector<Command> model_export_commands() {
  return {{"model export",
           "MODEL --to triton --out FOLDER [--name NAME] [--version N] [--batch-max N] [--json]",
           "Lays a model's ONNX graph out as Triton Inference Server reads it, with a configuration made "
           "from it.",
           "holdfast model export ada/bert --to triton --out ./models", run_export}};
}

}  // namespace holdfast::cli
