#include "app/process_probe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>

namespace holdfast::app {
namespace {

// Resident pages are the second number of /proc/self/statm. 0 where it cannot be read.
double read_resident_pages() {
  const auto folder = io::open_posix_disk("/proc/self");
  if (!folder.ok()) return 0;
  const auto file = folder.value()->open(io::Path("statm"));
  if (!file.ok()) return 0;
  std::array<std::byte, 128> text;
  const auto got = file.value()->read_at(0, text);
  if (!got.ok()) return 0;
  const std::string_view line = as_text(ByteView(text).first(got.value()));
  const size_t space = line.find(' ');
  int64_t pages = 0;
  if (space != std::string_view::npos)
    std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
  return static_cast<double>(pages);
}

double count_entries(const char* folder) {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    ++count;
  return count;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessProbe::ProcessProbe(Metrics& metrics, content::Store& content, io::Disk& disk)
    : content_(content),
      disk_(disk),
      resident_bytes_(
          metrics.gauge("holdfast_process_resident_bytes", "Memory of the server process in RAM.")),
      cpu_seconds_(
          metrics.gauge("holdfast_process_cpu_seconds", "User and system time of the server process.")),
      open_files_(metrics.gauge("holdfast_process_open_files", "File descriptors of the server process.")),
      threads_(metrics.gauge("holdfast_process_threads", "Threads of the server process.")),
      free_bytes_(metrics.gauge("holdfast_disk_free_bytes", "Free space where the data folder lies.")),
      content_files_(metrics.gauge("holdfast_content_files", "Large files in the content store.")),
      content_file_bytes_(
          metrics.gauge("holdfast_content_file_bytes", "What the large files hold, each counted whole.")),
      content_stored_bytes_(
          metrics.gauge("holdfast_content_stored_bytes", "What the content store takes on disk.")) {
  refresh();
}

void ProcessProbe::refresh() {
  resident_bytes_.set(read_resident_pages() * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  cpu_seconds_.set(seconds(usage.ru_utime) + seconds(usage.ru_stime));
  open_files_.set(count_entries("/proc/self/fd"));
  threads_.set(count_entries("/proc/self/task"));
  if (const auto free = disk_.free_bytes(); free.ok()) free_bytes_.set(static_cast<double>(free.value()));
  if (const auto totals = content_.totals(); totals.ok()) {
    content_files_.set(static_cast<double>(totals.value().files));
    content_file_bytes_.set(static_cast<double>(totals.value().file_bytes));
    content_stored_bytes_.set(static_cast<double>(totals.value().stored_bytes));
  }
}

}  // namespace holdfast::app
