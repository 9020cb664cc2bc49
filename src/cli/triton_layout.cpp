#include "cli/triton_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "io/temporary.h"

namespace holdfast::cli {
namespace {

using codec::OnnxSignature;
using codec::OnnxValue;

constexpr size_t copy_bytes = 4 << 20;
constexpr uint64_t config_bytes_max = 4 << 20;

// By the numbers of onnx.proto's TensorProto.DataType; empty: Triton has none.
constexpr std::array<std::string_view, 17> types = {"",       "FP32",   "UINT8",  "INT8", "UINT16", "INT16",
                                                    "INT32",  "INT64",  "STRING", "BOOL", "FP16",   "FP64",
                                                    "UINT32", "UINT64", "",       "",     "BF16"};

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

bool is_batched(const std::vector<OnnxValue>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const OnnxValue& value) { return !value.shape.empty() && value.shape[0] == -1; });
}

Result<std::string> value_text(const OnnxValue& value, bool batched, std::string_view labels) {
  if (value.type < 0 || static_cast<size_t>(value.type) >= types.size() || types[value.type].empty())
    return fail(Reason::bad_request, fmt::format("'{}' is of a type that Triton does not have (ONNX's {})",
                                                 value.name, value.type));
  const std::vector<int64_t> shape(value.shape.begin() + (batched ? 1 : 0), value.shape.end());
  std::string out =
      fmt::format("  {{\n    name: {}\n    data_type: TYPE_{}\n    dims: [ {} ]\n", in_quotes(value.name),
                  types[value.type], shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, ", ")));
  // No dimension is not written, so one of length 1 stands for it.
  if (shape.empty()) out += "    reshape { shape: [ ] }\n";
  if (!labels.empty()) out += fmt::format("    label_filename: {}\n", in_quotes(labels));
  return out + "  }";
}

// Whether the labels name this output's last dimension.
bool is_classes(const OnnxValue& value, size_t labels) {
  return labels > 0 && !value.shape.empty() && value.shape.back() == static_cast<int64_t>(labels);
}

bool leaves(const std::string& path) {
  return path.empty() || path.front() == '/' || path.find('\\') != std::string::npos ||
         ("/" + path + "/").find("/../") != std::string::npos;
}

Status copy(io::Disk& disk, const io::Path& from, const io::Path& to) {
  TRY(const auto source, disk.open(from));
  TRY_DONE(disk.make_directories(to.parent_path()));
  TRY(const auto target, disk.create(to));
  Bytes piece(copy_bytes);
  for (uint64_t at = 0;;) {
    TRY(const size_t got, source->read_at(at, piece));
    if (got == 0) return target->sync();
    TRY_DONE(target->append(ByteView(piece).first(got)));
    at += got;
  }
}

std::string labels_text(const std::vector<std::string>& labels) {
  std::string out;
  for (std::string label : labels) {
    std::replace(label.begin(), label.end(), '\n', ' ');
    out += label + "\n";
  }
  return out;
}

// A model that is there: its versions share what stands beside them.
Status check_same(io::Disk& disk, const io::Path& folder, const std::string& config,
                  const std::string& labels) {
  const std::string name = folder.filename().string();
  const auto there = io::read_text(disk, folder / "config.pbtxt", config_bytes_max);
  if (!there.ok() && there.error().code == Code::not_found)
    return fail(Reason::already_exists,
                fmt::format("{} is there and is no model of Triton's: it has no config.pbtxt", name));
  if (!there.ok()) return there.error();
  if (there.value() != config)
    return fail(Reason::bad_request,
                fmt::format("{} is there with another config.pbtxt: another name, or its versions go", name));
  if (labels.empty()) return Done{};
  TRY(const std::string named, io::read_text(disk, folder / "labels.txt", config_bytes_max));
  if (named == labels) return Done{};
  return fail(Reason::bad_request,
              fmt::format("{} is there with other labels: another name, or its versions go", name));
}

}  // namespace

Result<std::string> triton_config(const TritonModel& model, const OnnxSignature& signature) {
  const bool batched = model.batch_max > 0 && !signature.inputs.empty() && is_batched(signature.inputs) &&
                       is_batched(signature.outputs);
  std::string out = fmt::format(
      "name: {}\nbackend: \"onnxruntime\"\ndefault_model_filename: \"model.onnx\"\n"
      "max_batch_size: {}\n",
      in_quotes(model.name), batched ? model.batch_max : 0);
  const auto list = [&](std::string_view word, const std::vector<OnnxValue>& values) -> Status {
    if (values.empty()) return Done{};
    std::string rows;
    for (const OnnxValue& value : values) {
      const bool classes = word == "output" && is_classes(value, model.labels.size());
      TRY(const std::string text, value_text(value, batched, classes ? "labels.txt" : ""));
      rows += (rows.empty() ? "" : ",\n") + text;
    }
    out += fmt::format("{} [\n{}\n]\n", word, rows);
    return Done{};
  };
  TRY_DONE(list("input", signature.inputs));
  TRY_DONE(list("output", signature.outputs));
  if (batched) out += "dynamic_batching { }\n";
  return out;
}

Result<std::vector<std::string>> write_triton_model(io::Disk& disk, Random& random, const io::Path& graph,
                                                    const io::Path& repository, const TritonModel& model) {
  TRY(const auto mapped, disk.map(graph));
  TRY(const OnnxSignature signature, codec::read_onnx_signature(mapped->bytes()));
  for (const std::string& file : signature.files)
    if (leaves(file))
      return fail(Reason::bad_request, fmt::format("its weights lie outside of its folder: {}", file));
  TRY(const std::string config, triton_config(model, signature));
  const io::Path folder = repository / model.name, version = folder / std::to_string(model.version);
  if (disk.stat(version).ok())
    return fail(Reason::already_exists,
                fmt::format("version {} of {} is there already", model.version, model.name));
  const bool classes =
      std::any_of(signature.outputs.begin(), signature.outputs.end(),
                  [&](const OnnxValue& value) { return is_classes(value, model.labels.size()); });
  const std::string labels = classes ? labels_text(model.labels) : std::string();
  const bool was_there = disk.stat(folder).ok();
  if (was_there) TRY_DONE(check_same(disk, folder, config, labels));

  const io::Path fresh = folder / io::temporary_name(random, std::to_string(model.version));
  std::vector<std::string> written = {model.name + "/config.pbtxt"};
  const auto write = [&]() -> Status {
    TRY_DONE(copy(disk, graph, fresh / "model.onnx"));
    for (const std::string& file : signature.files)
      TRY_DONE(copy(disk, graph.parent_path() / file, fresh / file));
    if (classes) {
      TRY_DONE(io::publish_text(disk, folder / "labels.txt", labels));
      written.push_back(model.name + "/labels.txt");
    }
    // The version last: Triton takes what is there.
    TRY_DONE(io::publish_text(disk, folder / "config.pbtxt", config));
    TRY_DONE(disk.rename(fresh, version));
    return disk.sync_directory(folder);
  };
  const Status done = write();
  if (!done.ok()) {
    [[maybe_unused]] const Status gone = disk.remove_tree(was_there ? fresh : folder);
    return done.error();
  }
  const std::string place = fmt::format("{}/{}/", model.name, model.version);
  written.push_back(place + "model.onnx");
  for (const std::string& file : signature.files) written.push_back(place + file);
  return written;
}

}  // namespace holdfast::cli
