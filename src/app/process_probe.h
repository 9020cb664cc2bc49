#pragma once

#include "base/metrics.h"
#include "content/store.h"
#include "io/disk.h"

namespace holdfast::app {

// The figures of the process and its folder, for /metrics. Refreshed by the maintenance thread.
class ProcessProbe {
 public:
  ProcessProbe(Metrics& metrics, content::Store& content, io::Disk& disk);
  void refresh();

 private:
  content::Store& content_;
  io::Disk& disk_;
  Gauge& resident_bytes_;
  Gauge& cpu_seconds_;
  Gauge& open_files_;
  Gauge& threads_;
  Gauge& free_bytes_;
  Gauge& content_files_;
  Gauge& content_file_bytes_;
  Gauge& content_stored_bytes_;
};

}  // namespace holdfast::app
