// Prints, for shapes of batches and precisions in turns, what an encoder reaches on one thread by processor
// time (which a machine shared with others disturbs less than the wall's), the share of the register peak
// that its products alone would take, and how many times as fast each precision is as the one before it:
// encoder_bench DIR [instruction set [precisions]].
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>
#include <span>
#include <vector>

#include "model/encoder_model.h"
#include "tensor/peak.h"

namespace {

using namespace holdfast;

double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

model::TokenBatch batch_of(size_t rows, size_t first, size_t last, size_t vocabulary) {
  std::mt19937 random(1);
  model::TokenBatch out;
  for (size_t row = 0; row < rows; ++row) {
    const size_t length = first + random() % (last - first + 1);
    for (size_t i = 0; i < length; ++i)
      out.add(static_cast<int64_t>(random() % vocabulary), 0, static_cast<int64_t>(i));
    out.end_sequence();
  }
  return out;
}

// Multiply-adds counted as two.
double operations(const model::EncoderPlan& plan, const model::TokenBatch& batch) {
  const double width = double(plan.width), heads = double(plan.heads * plan.head_width),
               inner = double(plan.inner);
  double out = 0;
  for (size_t i = 0; i < batch.sequences(); ++i) {
    const double tokens = double(batch.length(i));
    out += tokens * (8 * width * heads + (plan.gated ? 6 : 4) * width * inner) + 4 * tokens * tokens * heads;
  }
  return out * double(plan.layers.size());
}

struct Engine {
  tensor::Precision precision;
  model::EncoderModel model;
  double peak = 0;
};

struct Shape {
  size_t rows, first, last;
};

// Seconds of one call: of as many as take 20 ms.
double one_call(const Engine& engine, const model::TokenBatch& batch, tensor::Threads& threads) {
  const double start = seconds();
  size_t calls = 0;
  do {
    if (!engine.model.forward(batch, threads).ok()) std::abort();
    ++calls;
  } while (seconds() - start < 0.02);
  return (seconds() - start) / double(calls);
}

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// All precisions in turns, so that what else the machine does meets them alike.
void measure(const Shape& shape, std::span<const Engine> engines, tensor::Threads& threads) {
  const auto batch = batch_of(shape.rows, shape.first, shape.last, engines[0].model.plan().vocabulary);
  std::vector<std::vector<double>> times(engines.size());
  const double until = seconds() + 0.6 * double(engines.size());
  while (seconds() < until || times[0].size() < 9)
    for (size_t i = 0; i < engines.size(); ++i) times[i].push_back(one_call(engines[i], batch, threads));
  fmt::print("{:>2} x {:>3}-{:<3}", shape.rows, shape.first, shape.last);
  for (size_t i = 0; i < engines.size(); ++i) {
    const double took = median(times[i]);
    fmt::print("  {} {:8.1f} sequences/s {:5.1f} %", tensor::precision_name(engines[i].precision),
               double(shape.rows) / took,
               100 * operations(engines[i].model.plan(), batch) / took / engines[i].peak);
    if (i == 0) continue;
    std::vector<double> ratios;
    for (size_t round = 0; round < times[i].size(); ++round)
      ratios.push_back(times[i - 1][round] / times[i][round]);
    fmt::print(" ({:.3f} x)", median(ratios));
  }
  fmt::print("\n");
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 2;
  auto disk = io::open_posix_disk("/");
  const auto threads = tensor::make_threads(1);
  tensor::Isa isa = tensor::best_isa();
  if (count > 2) isa = tensor::isa_from_name(words[2]).value_or(isa);
  const std::string_view wished = count > 3 ? words[3] : "";
  std::vector<Engine> engines;
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
    if (count > 3 && wished.find(tensor::precision_name(precision)) == std::string_view::npos) continue;
    auto opened = model::EncoderModel::open(*disk.value(), words[1], {isa, precision});
    if (!opened.ok()) {
      fmt::print("{}\n", opened.error().message);
      return 1;
    }
    engines.push_back({precision, std::move(opened.value()), tensor::register_peak(isa, precision)});
    fmt::print("{} on {}, peak {:.0f} G operations/s\n", tensor::precision_name(precision),
               tensor::isa_name(isa), engines.back().peak / 1e9);
  }
  if (engines.empty()) return 2;
  for (const Shape shape : {Shape{1, 32, 32},
                            {1, 128, 128},
                            {1, 256, 256},
                            {32, 32, 32},
                            {32, 128, 128},
                            {32, 256, 256},
                            {32, 8, 256}})
    measure(shape, engines, *threads);
  return 0;
}
