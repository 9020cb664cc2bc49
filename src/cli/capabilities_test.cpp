#include "cli/capabilities.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/recording_world.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

void put(io::Disk& disk, const io::Path& path, std::string_view text) {
  ASSERT_TRUE(disk.make_directories(path.parent_path()).ok());
  ASSERT_TRUE(io::publish_text(disk, path, text).ok());
}

TEST(Capabilities, NameTheProcessorAndWhatRunsOnIt) {
  const auto proc = io::make_memory_disk();
  put(*proc, "cpuinfo", "processor\t: 0\nmodel name\t: A Processor 9000\n");
  put(*proc, "meminfo", "MemTotal:       2048 kB\nMemFree: 1 kB\n");
  const serve::Capabilities found = serving_capabilities(*proc);
  ASSERT_EQ(found.devices.size(), 1U);
  EXPECT_EQ(found.devices[0].name, "A Processor 9000");
  EXPECT_EQ(found.memory_bytes, 2048 * 1024);
  EXPECT_EQ(found.instructions.back(), "plain");
  ASSERT_EQ(found.runtimes.size(), 1U);
  const serve::RuntimeOffer& own = found.runtimes[0];
  EXPECT_TRUE(own.serves && own.missing.empty());
  const auto& decoders = own.families.at("decoder");
  EXPECT_NE(std::find(decoders.begin(), decoders.end(), "llama"), decoders.end());
  EXPECT_NE(found.notices().at(0).find("No GPU"), std::string::npos) << found.notices().at(0);
}

TEST(Capabilities, AGpuThatIsNotUsedIsSaidToBe) {
  const auto proc = io::make_memory_disk();
  put(*proc, "driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ:   10\n");
  const serve::Capabilities found = serving_capabilities(*proc);
  ASSERT_EQ(found.devices.size(), 2U);
  EXPECT_EQ(found.devices[1].kind, "gpu");
  EXPECT_FALSE(found.devices[1].used);
  EXPECT_NE(found.notices().at(0).find("NVIDIA H200 is not used"), std::string::npos)
      << found.notices().at(0);
}

TEST(Capabilities, ARuntimeThatIsNotThereSaysHowItWouldBe) {
  RecordingWorld world;
  ASSERT_EQ(dispatch(capabilities_commands(), world,
                     std::vector<std::string_view>{"capabilities", "--openvino", "/nowhere", "--json"}),
            exit_done)
      << world.complaints;
  const auto said = codec::parse_json_object(world.output).value();
  const auto& runtimes = said.at("runtimes").as_array();
  ASSERT_EQ(runtimes.size(), 2U);
  EXPECT_TRUE(runtimes[0].at("available").as_bool());
  EXPECT_FALSE(runtimes[1].at("available").as_bool());
  EXPECT_NE(runtimes[1].at("missing").as_string().find("pip install openvino"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
