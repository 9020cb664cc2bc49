// Prints, for each instruction set, what `linear` reaches of the machine's multiply-add peak on one thread.
#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "tensor/gemm.h"

namespace {

using namespace holdfast;

double seconds(const std::function<void()>& work) {
  SystemClock clock;
  double best = 1e9;
  for (int trial = 0; trial < 5; ++trial) {
    int times = 0;
    const auto start = clock.now();
    do {
      work();
      ++times;
    } while (clock.now() - start < std::chrono::milliseconds(200));
    best = std::min(best, std::chrono::duration<double>(clock.now() - start).count() / times);
  }
  return best;
}

constexpr int peak_steps = 100'000;
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

int main() {
  using namespace holdfast::tensor;
  struct Shape {
    size_t rows, outputs, inputs;
  };
  const auto threads = make_threads(1);
  for (Isa isa : isas_of_this_machine()) {
    if (isa == Isa::plain) continue;
    const double peak = isa == Isa::avx512 ? peak_avx512() : peak_avx2();
    fmt::print("{}: peak {:.0f} GFLOP/s, one thread\n", isa_name(isa), peak);
    for (auto [rows, outputs, inputs] :
         {Shape{1, 384, 384}, Shape{8, 384, 384}, Shape{32, 384, 384}, Shape{128, 384, 384},
          Shape{128, 1152, 384}, Shape{128, 1536, 384}, Shape{128, 384, 1536}, Shape{1024, 1536, 384},
          Shape{128, 768, 768}, Shape{512, 3072, 768}, Shape{1024, 1024, 1024}}) {
      std::vector<float> in(rows * inputs, 0.5F), weight(outputs * inputs, 0.25F), out(rows * outputs);
      const PackedLinear layer(weight, {}, outputs, inputs);
      const double took = seconds([&] {
        linear(kernels_for(isa), *threads, layer, {in.data(), nullptr, out.data(), rows, Epilogue::bias});
      });
      const double rate = 2.0 * double(rows) * double(outputs) * double(inputs) / took / 1e9;
      fmt::print("  {:>5} x {:>5} x {:>5}: {:6.1f} GFLOP/s, {:3.0f} % of peak\n", rows, outputs, inputs, rate,
                 100 * rate / peak);
    }
  }
  return 0;
}
