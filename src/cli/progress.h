#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace holdfast::cli {

// Tells a person on standard error how a long step goes: at most five times a second, from the second second
// on, only where the output is a terminal. Used by one thread.
class Progress {
 public:
  Progress(World& world, std::string_view what) : world_(world), what_(what), began_(world.clock().now()) {}

  // "copied 1.2 GB of 4.0 GB, 310 MB/s, 9 s left"; a total of 0 is not known.
  void bytes(uint64_t done, uint64_t total);
  void say(std::string_view place);
  // Takes the line away again.
  void end();

 private:
  bool due();
  void show(const std::string& line);

  World& world_;
  std::string what_;
  std::chrono::milliseconds began_, shown_{};
  size_t width_ = 0;
};

// "1.2 GB": powers of 1000, three digits.
std::string format_bytes(uint64_t bytes);

}  // namespace holdfast::cli
