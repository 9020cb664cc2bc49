// Prints, for each instruction set and precision, what linear layers reach on one thread, beside the peak of
// a loop that only multiplies and adds floats in registers.
#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/clock.h"
#include "tensor/linear.h"

namespace {

using namespace holdfast;

double seconds(const std::function<void()>& work) {
  SystemClock clock;
  double best = 1e9;
  for (int trial = 0; trial < 7; ++trial) {
    int times = 0;
    const auto start = clock.now();
    do {
      work();
      ++times;
    } while (clock.now() - start < std::chrono::milliseconds(40));
    best = std::min(best, std::chrono::duration<double>(clock.now() - start).count() / times);
  }
  return best;
}

constexpr int peak_steps = 20'000;
volatile float sink;

// Twenty independent sums in registers: nothing but the multiply-add units limits this.
__attribute__((target("avx512f"))) void multiply_add_avx512() {
  __m512 sums[20];
  for (auto& sum : sums) sum = _mm512_set1_ps(1.0F);
  __m512 x = _mm512_set1_ps(1.0001F), y = _mm512_set1_ps(1e-9F);
  for (int i = 0; i < peak_steps; ++i) {
#pragma GCC unroll 20
    for (int j = 0; j < 20; ++j) sums[j] = _mm512_fmadd_ps(sums[j], x, y);
    asm volatile("" : "+v"(x), "+v"(y));
  }
  for (auto& sum : sums) sink = sink + _mm512_cvtss_f32(sum);
}

__attribute__((target("avx2,fma"))) void multiply_add_avx2() {
  __m256 sums[12];
  for (auto& sum : sums) sum = _mm256_set1_ps(1.0F);
  __m256 x = _mm256_set1_ps(1.0001F), y = _mm256_set1_ps(1e-9F);
  for (int i = 0; i < peak_steps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm256_fmadd_ps(sums[j], x, y);
    asm volatile("" : "+x"(x), "+x"(y));
  }
  for (auto& sum : sums) sink = sink + _mm256_cvtss_f32(sum);
}

double peak_avx512() { return 20.0 * 16 * 2 * peak_steps / seconds(multiply_add_avx512) / 1e9; }
double peak_avx2() { return 12.0 * 8 * 2 * peak_steps / seconds(multiply_add_avx2) / 1e9; }

}  // namespace

int main(int count, char** arguments) {
  using namespace holdfast::tensor;
  struct Shape {
    size_t rows, outputs, inputs;
  };
  const auto threads = make_threads(1);
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 1);
  for (Isa isa : isas_of_this_machine()) {
    if (isa == Isa::plain || (count > 1 && isa_name(isa) != arguments[1])) continue;
    const double peak = isa >= Isa::avx512 ? peak_avx512() : peak_avx2();
    fmt::print("{}: peak of f32 {:.0f} GFLOP/s, one thread\n", isa_name(isa), peak);
    for (auto [rows, outputs, inputs] :
         {Shape{1, 384, 384}, Shape{1, 1536, 384}, Shape{8, 384, 384}, Shape{32, 384, 384},
          Shape{96, 1152, 384}, Shape{96, 1536, 384}, Shape{96, 384, 1536}, Shape{1024, 1536, 384},
          Shape{512, 3072, 768}, Shape{1024, 1024, 1024}}) {
      std::vector<float> in(rows * inputs), weight(outputs * inputs), out(rows * outputs);
      for (float& x : in) x = normal(random);
      for (float& x : weight) x = normal(random);
      fmt::print("  {:>5} x {:>5} x {:>5}:", rows, outputs, inputs);
      for (Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
        const auto layer = make_linear({weight, {}, outputs, inputs}, {isa, precision});
        LinearRun run;
        run.in = in.data();
        run.out = out.data();
        run.rows = rows;
        const double took = seconds([&] { layer->run(run, *threads); });
        const double rate = 2.0 * double(rows) * double(outputs) * double(inputs) / took / 1e9;
        fmt::print("  {} {:6.1f} ({:3.0f} %)", precision_name(precision), rate, 100 * rate / peak);
      }
      fmt::print("\n");
    }
  }
  return 0;
}
