#include "serve/capabilities.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

namespace holdfast::serve {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& all) { return json::array(all.begin(), all.end()); }

json::object runtime_json(const RuntimeOffer& runtime) {
  json::object out{{"name", runtime.name},
                   {"device", runtime.device},
                   {"available", runtime.missing.empty()},
                   {"serves_endpoints", runtime.serves},
                   {"formats", texts(runtime.formats)},
                   {"dtypes", texts(runtime.dtypes)}};
  if (!runtime.version.empty()) out["version"] = runtime.version;
  if (!runtime.missing.empty()) out["missing"] = runtime.missing;
  if (!runtime.families.empty()) {
    json::object families;
    for (const auto& [kind, names] : runtime.families) families[kind] = texts(names);
    out["families"] = std::move(families);
  }
  return out;
}

}  // namespace

std::vector<std::string> Capabilities::notices() const {
  std::vector<std::string> out;
  std::string unused;
  for (const Device& device : devices)
    if (device.kind == "gpu" && !device.used) unused = device.name.empty() ? "the GPU here" : device.name;
  out.push_back(unused.empty() ? "No GPU: what asks for one runs on the processor, with the same answers."
                               : fmt::format("This program computes on processors: {} is not used, and what "
                                             "asks for a GPU runs on the processor.",
                                             unused));
  for (const RuntimeOffer& runtime : runtimes)
    if (!runtime.missing.empty()) out.push_back(fmt::format("{}: {}", runtime.name, runtime.missing));
  return out;
}

json::object capabilities_json(const Capabilities& capabilities) {
  json::array devices, runtimes;
  for (const Device& device : capabilities.devices)
    devices.push_back(json::object{{"kind", device.kind}, {"name", device.name}, {"used", device.used}});
  for (const RuntimeOffer& runtime : capabilities.runtimes) runtimes.push_back(runtime_json(runtime));
  return {{"program", capabilities.program},
          {"cores", capabilities.cores},
          {"memory_bytes", capabilities.memory_bytes},
          {"instructions", texts(capabilities.instructions)},
          {"devices", std::move(devices)},
          {"runtimes", std::move(runtimes)},
          {"notices", texts(capabilities.notices())}};
}

}  // namespace holdfast::serve
