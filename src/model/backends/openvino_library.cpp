#include "model/backends/openvino_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace holdfast::model::openvino {
namespace {

constexpr size_t message_bytes_max = 400;
constexpr std::string_view library_name = "libopenvino_c.so";

Error missing(std::string_view why) {
  return fail(Reason::not_offered,
              fmt::format("graphs run on OpenVINO, and {}: pip install openvino, and name the folder of "
                          "the package (or its virtual environment) by --openvino or HOLDFAST_OPENVINO",
                          why));
}

// "libopenvino_c.so.2641" of a folder; with several the last by name.
std::optional<io::Path> library_in(io::Disk& disk, const io::Path& folder) {
  const auto entries = disk.list(folder);
  if (!entries.ok()) return std::nullopt;
  std::optional<io::Path> found;
  for (const io::Entry& entry : entries.value())
    if (!entry.is_directory && entry.name.starts_with(library_name)) found = folder / entry.name;
  return found;
}

// Of a virtual environment: lib/python3.11/site-packages/openvino/libs.
std::optional<io::Path> library_of_environment(io::Disk& disk, const io::Path& environment) {
  const auto entries = disk.list(environment / "lib");
  if (!entries.ok()) return std::nullopt;
  for (const io::Entry& entry : entries.value()) {
    if (!entry.is_directory || !entry.name.starts_with("python3")) continue;
    const io::Path folder = environment / "lib" / entry.name / "site-packages" / "openvino" / "libs";
    if (const auto found = library_in(disk, folder)) return found;
  }
  return std::nullopt;
}

Result<io::Path> find_library(const io::Path& place) {
  if (place.empty()) return io::Path(library_name);
  TRY(const std::unique_ptr<io::Disk> disk, io::open_posix_disk("/"));
  const io::Path relative = place.lexically_normal().relative_path();
  const auto entry = disk->stat(relative);
  if (!entry.ok()) return missing("the place given for it does not exist");
  if (!entry.value().is_directory) return place;
  for (const io::Path& folder : {relative / "libs", relative, relative / "openvino" / "libs"})
    if (const auto found = library_in(*disk, folder)) return disk->absolute(*found);
  if (const auto found = library_of_environment(*disk, relative)) return disk->absolute(*found);
  return missing(fmt::format("the folder given for it holds no {}", library_name));
}

// Looks functions up by the names they have there; the first missing one is remembered.
struct Finder {
  const io::SharedLibrary& file;
  const char* missing = nullptr;

  template <typename Function>
  void operator()(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(file.find(name));
    if (function == nullptr && missing == nullptr) missing = name;
  }
};

Result<Functions> find_functions(const io::SharedLibrary& file) {
  Functions call{};
  Finder find{file};
  find(call.ov_get_openvino_version, "ov_get_openvino_version");
  find(call.ov_version_free, "ov_version_free");
  find(call.ov_get_last_err_msg, "ov_get_last_err_msg");
  find(call.ov_free, "ov_free");
  find(call.ov_core_create, "ov_core_create");
  find(call.ov_core_read_model, "ov_core_read_model");
  find(call.ov_core_compile_model, "ov_core_compile_model");
  find(call.ov_model_free, "ov_model_free");
  find(call.ov_compiled_model_inputs_size, "ov_compiled_model_inputs_size");
  find(call.ov_compiled_model_outputs_size, "ov_compiled_model_outputs_size");
  find(call.ov_compiled_model_input_by_index, "ov_compiled_model_input_by_index");
  find(call.ov_compiled_model_output_by_index, "ov_compiled_model_output_by_index");
  find(call.ov_compiled_model_create_infer_request, "ov_compiled_model_create_infer_request");
  find(call.ov_compiled_model_free, "ov_compiled_model_free");
  find(call.ov_port_get_any_name, "ov_port_get_any_name");
  find(call.ov_port_get_element_type, "ov_port_get_element_type");
  find(call.ov_output_const_port_free, "ov_output_const_port_free");
  find(call.ov_tensor_create_from_host_ptr, "ov_tensor_create_from_host_ptr");
  find(call.ov_tensor_get_shape, "ov_tensor_get_shape");
  find(call.ov_tensor_get_element_type, "ov_tensor_get_element_type");
  find(call.ov_tensor_get_byte_size, "ov_tensor_get_byte_size");
  find(call.ov_tensor_data, "ov_tensor_data");
  find(call.ov_tensor_free, "ov_tensor_free");
  find(call.ov_shape_free, "ov_shape_free");
  find(call.ov_infer_request_set_input_tensor_by_index, "ov_infer_request_set_input_tensor_by_index");
  find(call.ov_infer_request_get_output_tensor_by_index, "ov_infer_request_get_output_tensor_by_index");
  find(call.ov_infer_request_infer, "ov_infer_request_infer");
  find(call.ov_infer_request_free, "ov_infer_request_free");
  if (find.missing != nullptr)
    return fail(Reason::model_unsupported, fmt::format("this OpenVINO has no {}", find.missing));
  return call;
}

}  // namespace

std::string Library::last_message() const {
  const char* words = call.ov_get_last_err_msg();
  if (words == nullptr) return "no reason given";
  std::string out(words);
  call.ov_free(words);
  std::replace(out.begin(), out.end(), '\n', ' ');
  if (out.size() > message_bytes_max) out.resize(message_bytes_max);
  return out;
}

Result<std::shared_ptr<const Library>> load_library(const io::Path& place) {
  TRY(const io::Path file, find_library(place));
  auto opened = io::SharedLibrary::open(file);
  if (!opened.ok()) return missing(place.empty() ? "it is not installed" : "its library does not load");
  Library library{.file = opened.value()};
  TRY(library.call, find_functions(library.file));
  Version version;
  if (library.call.ov_get_openvino_version(&version) == 0) {
    library.version = version.build == nullptr ? "" : version.build;
    library.call.ov_version_free(&version);
  }
  // Numbers of element types moved in 2024.2; older ones would be misread.
  if (library.version < "2024.2")
    return fail(Reason::model_unsupported,
                fmt::format("OpenVINO {} is too old: 2024.2 and later are known", library.version));
  if (library.call.ov_core_create(&library.core) != 0)
    return fail(Reason::dependency_failed, "OpenVINO does not start: " + library.last_message());
  return std::make_shared<const Library>(library);
}

}  // namespace holdfast::model::openvino
