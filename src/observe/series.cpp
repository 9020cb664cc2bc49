#include "observe/series.h"

#include "codec/hex.h"
#include "codec/hmac.h"

namespace holdfast::observe {

std::string SeriesNames::keyed(std::string_view use, std::string_view text, size_t digits) const {
  std::string message(use);
  message += '\0';
  message += text;
  const auto digest = codec::hmac_sha256(as_bytes(key_.reveal()), as_bytes(message));
  return codec::to_hex(digest).substr(0, digits);
}

std::string SeriesNames::endpoint_of(std::string_view record) const {
  return "r-" + keyed("observe-record", record, 12);
}

std::string SeriesNames::endpoint_of_model(int64_t repository) const {
  return "m-" + keyed("observe-model", std::to_string(repository), 12);
}

std::string SeriesNames::digest_of(std::string_view text) const { return keyed("observe-text", text, 32); }

Series SeriesNames::bounded(Series wanted, std::set<Series>& known, size_t max) {
  std::lock_guard lock(mutex_);
  if (known.contains(wanted)) return wanted;
  if (known.size() >= max) return {"other", "other"};
  known.insert(wanted);
  return wanted;
}

Series SeriesNames::of_release(std::string_view record, int64_t number) {
  return bounded({endpoint_of(record), std::to_string(number)}, released_, released_max);
}

Series SeriesNames::of(const serve::ReleaseAnswer& by) {
  if (!by.record.empty()) return of_release(by.record, by.release);
  return bounded({endpoint_of_model(by.model.repository), by.model.commit.substr(0, 12)}, on_demand_,
                 on_demand_max);
}

}  // namespace holdfast::observe
