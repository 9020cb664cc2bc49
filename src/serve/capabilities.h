#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::serve {

// Something that could compute, and whether this program does on it.
struct Device {
  std::string kind;  // "cpu", "gpu"
  std::string name;  // "AMD EPYC 9354"; empty where the machine does not tell.
  bool used = false;
};

// One way to run models.
struct RuntimeOffer {
  std::string name, device, version;
  std::vector<std::string> formats, dtypes;
  std::map<std::string, std::vector<std::string>> families{};  // By kind: "decoder". Empty: any graph.
  bool serves = false;                                         // Endpoints run on it; else commands only.
  std::string missing{};  // Why it does not run here, with the remedy; empty: it does.
};

// What models can run on here: `holdfast capabilities` and GET /api/capabilities.
struct Capabilities {
  std::string program;  // "holdfast 1.2 x86-64"
  uint64_t cores = 0, memory_bytes = 0;
  std::vector<std::string> instructions;  // Kernels that exist for it and that it can run, the best first.
  std::vector<Device> devices;
  std::vector<RuntimeOffer> runtimes;

  // In sentences: what somebody who expects a GPU has to know, and what is missing.
  std::vector<std::string> notices() const;
};

boost::json::object capabilities_json(const Capabilities& capabilities);

}  // namespace holdfast::serve
