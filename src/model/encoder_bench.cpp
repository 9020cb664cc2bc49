// Prints, for shapes of batches and precisions, what an encoder reaches on one thread by processor time
// (which a machine shared with others disturbs less than the wall's), and the share of the register peak that
// its products alone would take: encoder_bench DIR [instruction set].
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>
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

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 2;
  struct Shape {
    size_t rows, first, last;
  };
  auto disk = io::open_posix_disk("/");
  const auto threads = tensor::make_threads(1);
  tensor::Isa isa = tensor::best_isa();
  if (count > 2) isa = tensor::isa_from_name(words[2]).value_or(isa);
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
    if (count > 3 && tensor::precision_name(precision) != words[3]) continue;
    const auto opened = model::EncoderModel::open(*disk.value(), words[1], {isa, precision});
    if (!opened.ok()) {
      fmt::print("{}\n", opened.error().message);
      return 1;
    }
    const double peak = tensor::register_peak(isa, precision);
    fmt::print("{} on {}, peak {:.0f} G operations/s\n", tensor::precision_name(precision),
               tensor::isa_name(isa), peak / 1e9);
    for (const Shape shape : {Shape{1, 32, 32},
                              {1, 128, 128},
                              {1, 256, 256},
                              {32, 32, 32},
                              {32, 128, 128},
                              {32, 256, 256},
                              {32, 8, 256}}) {
      const auto batch = batch_of(shape.rows, shape.first, shape.last, opened.value().plan().vocabulary);
      std::vector<double> times;
      const double until = seconds() + 0.6;
      while (seconds() < until || times.size() < 3) {
        const double start = seconds();
        size_t calls = 0;
        do {
          if (!opened.value().forward(batch, *threads).ok()) return 1;
          ++calls;
        } while (seconds() - start < 0.02);
        times.push_back((seconds() - start) / double(calls));
      }
      std::sort(times.begin(), times.end());
      const double took = times[times.size() / 2];
      fmt::print("  {:>2} x {:>3}-{:<3} {:8.1f} sequences/s (best {:8.1f})  {:5.1f} % of peak\n", shape.rows,
                 shape.first, shape.last, double(shape.rows) / took, double(shape.rows) / times[0],
                 100 * operations(opened.value().plan(), batch) / took / peak);
    }
  }
  return 0;
}
