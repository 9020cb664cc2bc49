#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"
#include "serve/release_gate.h"

namespace holdfast::observe {

// The two labels under which a model's figures stand. No name that a user chose is in them, as /metrics is
// for everybody: the endpoint is a keyed digest of the record ("r-0123456789ab") or of the repository
// ("m-…"), the version a release's number or the commit's first twelve digits.
struct Series {
  std::string endpoint, version;
  auto operator<=>(const Series&) const = default;
};

// Gives out labels, at most so many: what comes after is "other". Safe from any thread.
class SeriesNames {
 public:
  // `key`: the instance's.
  explicit SeriesNames(const Secret& key) : key_(key) {}

  static constexpr size_t released_max = 48, on_demand_max = 15;

  Series of(const serve::ReleaseAnswer& by);
  Series of_release(std::string_view record, int64_t number);
  std::string endpoint_of(std::string_view record) const;
  // Of a model's requests that no record's release answered.
  std::string endpoint_of_model(int64_t repository) const;
  // A digest of a text that only this instance can make: for logs.
  std::string digest_of(std::string_view text) const;

 private:
  std::string keyed(std::string_view use, std::string_view text, size_t digits) const;
  Series bounded(Series wanted, std::set<Series>& known, size_t max);

  const Secret& key_;
  std::mutex mutex_;  // Guards the two below.
  std::set<Series> released_, on_demand_;
};

}  // namespace holdfast::observe
