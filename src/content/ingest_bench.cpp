// What an upload costs, stage by stage and together: `ingest_bench [MIB] [FOLDER]`, random bytes that do not
// compress. One JSON line a result.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "codec/sha256.h"
#include "content/chunker.h"
#include "content/packer.h"
#include "content/schema.h"
#include "content/store.h"
#include "io/temporary_folder.h"
#include "sql/database.h"

namespace {

using namespace holdfast;
using namespace holdfast::content;

constexpr size_t piece_bytes = 256 << 10;  // As the server hands them over.
constexpr int rounds = 3;

// The median of three.
void measure(const Clock& clock, std::string_view stage, size_t bytes, const std::function<void()>& run) {
  std::vector<double> seconds;
  const std::clock_t before = std::clock();
  for (int round = 0; round < rounds; ++round) {
    const auto start = clock.now();
    run();
    seconds.push_back(static_cast<double>((clock.now() - start).count()) / 1000);
  }
  // Of all threads, so that a busy machine can be told from slow code.
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / rounds;
  std::sort(seconds.begin(), seconds.end());
  fmt::print("{{\"stage\":\"{}\",\"seconds\":{:.3f},\"cpu_seconds\":{:.3f},\"mib_per_second\":{:.0f}}}\n",
             stage, seconds[rounds / 2], cpu,
             static_cast<double>(bytes >> 20) / std::max(seconds[rounds / 2], 0.001));
  std::fflush(stdout);
}

template <class Each>
void each_chunk(ByteView rest, Each each) {
  while (!rest.empty()) {
    const size_t cut = find_cut(rest);
    const size_t size = cut == 0 ? rest.size() : cut;
    each(rest.first(size));
    rest = rest.subspan(size);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const size_t bytes_size = static_cast<size_t>(count > 1 ? std::atoi(arguments[1]) : 1024) << 20;
  SystemClock clock;
  SystemRandom random;
  MemoryLogSink sink;
  Log log(sink, clock);
  const auto metrics = make_metrics();
  io::TemporaryFolder temporary;
  const std::filesystem::path folder = count > 2 ? std::filesystem::path(arguments[2]) : temporary.path();
  auto disk = io::open_posix_disk(folder);
  auto database = sql::open_database("sqlite:" + (folder / "bench.db").string());
  CHECK(disk.ok() && database.ok());
  CHECK(sql::migrate(*database.value(), migrations(), 0).ok());
  auto store = open_store({}, *disk.value(), *database.value(), clock, random, log, *metrics);
  CHECK(store.ok());

  Bytes bytes(bytes_size);
  SeededRandom(random.u64()).fill(bytes);
  const auto each_piece = [&](const auto& each) {
    for (size_t at = 0; at < bytes.size(); at += piece_bytes)
      each(ByteView(bytes).subspan(at, std::min(piece_bytes, bytes.size() - at)));
  };

  measure(clock, "sha256", bytes_size, [&] {
    codec::Sha256 sha256;
    each_piece([&](ByteView piece) { sha256.update(piece); });
    sha256.finish();
  });
  measure(clock, "cut", bytes_size, [&] { each_chunk(bytes, [](ByteView) {}); });
  measure(clock, "name", bytes_size, [&] { each_chunk(bytes, [](ByteView chunk) { hash_chunk(chunk); }); });
  measure(clock, "pack", bytes_size, [&] {
    ChunkPacker packer;
    each_chunk(bytes, [&](ByteView chunk) { packer.pack(chunk); });
  });
  measure(clock, "write_and_sync", bytes_size, [&] {
    auto file = disk.value()->create("raw");
    CHECK(file.ok());
    each_chunk(bytes, [&](ByteView chunk) { CHECK(file.value()->append(chunk).ok()); });
    CHECK(file.value()->sync().ok());
    CHECK(disk.value()->remove("raw").ok());
  });
  FileInfo last;
  measure(clock, "ingest", bytes_size, [&] {
    bytes[0] ^= std::byte{1};
    for (size_t at = 0; at < bytes.size(); at += 4096)
      bytes[at] ^= std::byte{0x55};  // Nothing is known before.
    auto ingest = store.value()->begin();
    each_piece([&](ByteView piece) { CHECK(ingest.value()->write(piece).ok()); });
    auto info = ingest.value()->finish({});
    CHECK(info.ok());
    last = info.value();
  });
  measure(clock, "ingest_again", bytes_size, [&] {
    auto ingest = store.value()->begin();
    each_piece([&](ByteView piece) { CHECK(ingest.value()->write(piece).ok()); });
    CHECK(ingest.value()->finish({}).ok());
  });
  measure(clock, "read", bytes_size, [&] {
    auto reader = store.value()->open(last.hash);
    Bytes into(piece_bytes);
    for (uint64_t at = 0; at < bytes_size; at += piece_bytes) CHECK(reader.value()->read_at(at, into).ok());
  });
  return 0;
}
