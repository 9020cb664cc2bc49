#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/reason.h"

namespace holdfast::observe {

// What kind of input it is, by its script and length: where errors gather in one kind, the others' average
// hides them. Scripts are told by most of the letters, escaped ones of JSON as well; the text is not kept.
struct InputCluster {
  enum class Script : uint8_t {
    latin,
    cyrillic,
    arabic,
    asian,
    other,
    unknown
  };  // unknown: nothing is kept.
  enum class Length : uint8_t { to_100, to_1000, to_10000, longer };  // Letters of the body.
  Script script = Script::unknown;
  Length length = Length::to_100;
  auto operator<=>(const InputCluster&) const = default;
};
std::string_view script_name(InputCluster::Script script);  // "cyrillic"
std::string_view length_name(InputCluster::Length length);  // "to 1000"
InputCluster cluster_of(std::string_view body);

inline constexpr int error_class_count = 8;

// One hour of one cluster.
struct ErrorCell {
  WallTime hour{};
  InputCluster cluster{};
  int64_t requests = 0;                             // With those that failed.
  std::array<int64_t, error_class_count> errors{};  // By ErrorClass.
};

// Requests and errors of each record's endpoint by kind of input, over the last 24 hours. Forgets at the end
// of the process. Safe from any thread.
class ErrorMap {
 public:
  static constexpr int hours = 24;
  static constexpr size_t records_max = 48;  // More are not counted.

  void count(const std::string& record, WallTime at, InputCluster cluster, const ErrorClass* error);
  // Of the hours up to `now`, the oldest first; cells without requests are left out.
  std::vector<ErrorCell> view(const std::string& record, WallTime now) const;

 private:
  using Key = std::pair<int64_t, InputCluster>;  // The hour's number.
  mutable std::mutex mutex_;                     // Guards records_.
  std::map<std::string, std::map<Key, ErrorCell>> records_;
};

}  // namespace holdfast::observe
