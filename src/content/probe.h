#pragma once

#include <cstdint>

#include "base/metrics.h"

namespace holdfast::content {

// The store's measurements: all their names are here.
class Probe {
 public:
  explicit Probe(Metrics& metrics)
      : received_(metrics.counter("holdfast_content_received_bytes_total",
                                  "Bytes of files taken in, by LFS, commit, git or Xet.")),
        shared_(metrics.counter("holdfast_content_shared_bytes_total",
                                "Bytes of plain files taken in that were stored already.")),
        stored_(metrics.counter("holdfast_content_stored_bytes_total", "Bytes written as xorbs.")),
        sent_(metrics.counter("holdfast_content_read_bytes_total", "Bytes of files rebuilt for readers.")),
        collected_(
            metrics.counter("holdfast_content_collected_bytes_total", "Bytes given back by collections.")) {}

  void received(uint64_t bytes) { received_.add(static_cast<double>(bytes)); }
  void shared(uint64_t bytes) { shared_.add(static_cast<double>(bytes)); }
  void stored(uint64_t bytes) { stored_.add(static_cast<double>(bytes)); }
  void read(uint64_t bytes) { sent_.add(static_cast<double>(bytes)); }
  void collected(uint64_t bytes) { collected_.add(static_cast<double>(bytes)); }

 private:
  Counter &received_, &shared_, &stored_, &sent_, &collected_;
};

}  // namespace holdfast::content
