#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cli {
namespace {

constexpr std::chrono::milliseconds quiet_at_first{1000}, step{200};

}  // namespace

std::string format_bytes(uint64_t bytes) {
  static constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return value < 9.995   ? fmt::format("{:.2f} {}", value, units[unit])
         : value < 99.95 ? fmt::format("{:.1f} {}", value, units[unit])
                         : fmt::format("{:.0f} {}", value, units[unit]);
}

bool Progress::due() {
  const auto now = world_.clock().now();
  if (!world_.output_is_terminal() || now - began_ < quiet_at_first || now - shown_ < step) return false;
  shown_ = now;
  return true;
}

void Progress::show(const std::string& line) {
  world_.complain(fmt::format("\r{:<{}}", line, width_));
  width_ = line.size();
}

void Progress::bytes(uint64_t done, uint64_t total) {
  if (!due()) return;
  const double seconds = static_cast<double>((shown_ - began_).count()) / 1000;
  const double rate = static_cast<double>(done) / seconds;
  std::string line = fmt::format("{} {}", what_, format_bytes(done));
  if (total > 0) line += " of " + format_bytes(total);
  line += fmt::format(", {}/s", format_bytes(static_cast<uint64_t>(rate)));
  if (total > done && rate > 0)
    line += fmt::format(", {:.0f} s left", static_cast<double>(total - done) / rate);
  show(line);
}

void Progress::say(std::string_view place) {
  if (due()) show(fmt::format("{} {}", what_, place));
}

void Progress::end() {
  if (width_ > 0) world_.complain(fmt::format("\r{:<{}}\r", "", width_));
  width_ = 0;
}

}  // namespace holdfast::cli
