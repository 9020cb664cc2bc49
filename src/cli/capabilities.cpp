#include "cli/capabilities.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <thread>

#include "base/arguments.h"
#include "cli/lock.h"
#include "cli/model_backends.h"
#include "cli/text_table.h"
#include "codec/json.h"
#include "tensor/isa.h"

namespace holdfast::cli {
namespace {

constexpr size_t proc_file_max = 1 << 20;

// The kernel gives such a file's size as 0; empty where there is none.
std::string proc_text(io::Disk& proc, const io::Path& path) {
  const auto file = proc.open(path);
  if (!file.ok()) return {};
  std::string text(proc_file_max, '\0');
  size_t at = 0;
  while (at < text.size()) {
    const auto got = file.value()->read_at(at, std::as_writable_bytes(std::span(text).subspan(at)));
    if (!got.ok() || got.value() == 0) break;
    at += got.value();
  }
  text.resize(at);
  return text;
}

// What stands behind "KEY  :" of the first line that begins so.
std::string field_of(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string_view::npos) {
      std::string_view value = line.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      return std::string(value);
    }
    at += line.size() + 1;
  }
  return {};
}

uint64_t memory_of(io::Disk& proc) {
  const std::string text = field_of(proc_text(proc, "meminfo"), "MemTotal");
  uint64_t kibibytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), kibibytes);
  return kibibytes * 1024;
}

// GPUs whose driver tells of them.
std::vector<serve::Device> gpus_of(io::Disk& proc) {
  std::vector<serve::Device> out;
  const io::Path folder("driver/nvidia/gpus");
  const auto found = proc.list(folder);
  if (!found.ok()) return out;
  for (const io::Entry& entry : found.value())
    out.push_back({"gpu", field_of(proc_text(proc, folder / entry.name / "information"), "Model")});
  return out;
}

std::string bullet(std::string_view kind, const std::vector<std::string>& names) {
  return fmt::format("  {} ({}): {}\n", kind, names.size(), fmt::join(names, ", "));
}

std::string as_text(const serve::Capabilities& found) {
  std::string out =
      fmt::format("{}, {} cores, {:.1f} GB of memory\ninstructions: {}\n\n", found.program, found.cores,
                  static_cast<double>(found.memory_bytes) / 1e9, fmt::join(found.instructions, ", "));
  std::vector<std::vector<std::string>> rows = {{"device", "name", "used"}};
  for (const serve::Device& device : found.devices)
    rows.push_back({device.kind, device.name, device.used ? "yes" : "no"});
  out += text_table(rows) + "\n";
  rows = {{"runtime", "on", "here", "endpoints", "formats", "dtypes"}};
  for (const serve::RuntimeOffer& runtime : found.runtimes)
    rows.push_back(
        {runtime.version.empty() ? runtime.name : fmt::format("{} {}", runtime.name, runtime.version),
         runtime.device, runtime.missing.empty() ? "yes" : "no", runtime.serves ? "yes" : "no",
         fmt::format("{}", fmt::join(runtime.formats, ", ")),
         fmt::format("{}", fmt::join(runtime.dtypes, ", "))});
  out += text_table(rows);
  for (const serve::RuntimeOffer& runtime : found.runtimes) {
    if (runtime.families.empty()) continue;
    out += fmt::format("\nfamilies of {}\n", runtime.name);
    for (const auto& [kind, names] : runtime.families) out += bullet(kind, names);
  }
  out += "\n";
  for (const std::string& notice : found.notices()) out += notice + "\n";
  return out;
}

constexpr FlagRow flags[] = {
    {"--openvino", "FOLDER", "Where OpenVINO's libraries are."},
    {"--json", "", "One JSON line."},
};

Result<std::string> capabilities(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const auto proc, io::open_posix_disk("/proc"));
  const auto backends = open_backends(world, files, 1, arguments.value("--openvino"));
  const serve::Capabilities found = find_capabilities(*proc, backends);
  return arguments.has("--json") ? codec::to_text(serve::capabilities_json(found)) + "\n" : as_text(found);
}

int run_capabilities(World& world, std::span<const std::string_view> words) {
  const auto arguments = Arguments::parse({flags, 0, 0}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const auto said = capabilities(world, arguments.value());
  if (!said.ok())
    return report(world, said.error(), arguments.value().has("--json") ? Output::json : Output::people);
  world.print(said.value());
  return exit_done;
}

}  // namespace

serve::Capabilities find_capabilities(io::Disk& proc,
                                      std::span<const std::unique_ptr<model::Backend>> backends) {
  serve::Capabilities out;
  out.program = runtime_name();
  out.cores = std::max<uint64_t>(std::thread::hardware_concurrency(), 1);
  out.memory_bytes = memory_of(proc);
  for (const tensor::Isa isa : tensor::isas_of_this_machine())
    out.instructions.insert(out.instructions.begin(), std::string(tensor::isa_name(isa)));
  out.devices = gpus_of(proc);
  out.devices.insert(out.devices.begin(), {"cpu", field_of(proc_text(proc, "cpuinfo"), "model name"), true});
  for (const auto& backend : backends) {
    model::Offer offer = backend->offer();
    out.runtimes.push_back({std::string(backend->name()), std::move(offer.device), std::move(offer.version),
                            std::move(offer.formats), std::move(offer.dtypes), std::move(offer.families),
                            out.runtimes.empty(), std::move(offer.missing)});
  }
  return out;
}

serve::Capabilities serving_capabilities(io::Disk& proc) {
  std::vector<std::unique_ptr<model::Backend>> backends;
  backends.push_back(model::make_own_backend());
  return find_capabilities(proc, backends);
}

std::vector<Command> capabilities_commands() {
  return {{"capabilities", "[--openvino FOLDER] [--json]",
           "Says what models can run on here: devices, instruction sets, runtimes, formats, families, and "
           "what is missing.",
           "holdfast capabilities --json", run_capabilities}};
}

}  // namespace holdfast::cli
