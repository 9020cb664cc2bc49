#pragma once

#include <cstddef>
#include <vector>

#include "tensor/threads.h"

namespace holdfast::model {

// The Fourier transform down the rows of a text, many columns at once: what FNet mixes tokens by. A length
// without large prime factors is taken apart by them, any other is a circular product of a power of two
// (Bluestein), so none takes the square of its length. What is added in which order is the length's alone.
// Immutable; of one token at least.
class TextWaves {
 public:
  explicit TextWaves(size_t length);

  // rows: [length, 2 * width], real parts and then imaginary parts with their sign turned. Adds the real part
  // of their transform to x, [length, width].
  void add(const float* rows, size_t width, float* x, tensor::Threads& threads) const;

 private:
  static constexpr size_t lanes = 16;  // Columns that go through together.
  struct alignas(64) Lanes {
    float real[lanes], imaginary[lanes];
  };
  using Column = std::vector<Lanes>;
  // The transform of one length by its factors.
  class Factored {
   public:
    explicit Factored(size_t length);
    void run(Column& x, Column& spare) const;  // The result is in x.
    // Of which lengths: that have no prime factor above this.
    static constexpr size_t factor_max = 13;
    static bool takes(size_t length);

   private:
    size_t length_ = 1;
    std::vector<size_t> factors_;
    std::vector<float> cosines_, sines_;  // Of 2 pi i / length.
  };

  void run(Column& x, Column& spare) const;
  void run_chirped(Column& x, Column& spare) const;

  size_t length_ = 0;
  Factored factored_;                               // Of length_, or the power of two around its chirp.
  std::vector<float> chirp_cosines_, chirp_sines_;  // Of pi i i / length; empty: factored_ is of length_.
  Column chirp_;                                    // The transform of the chirp, in its first lane.
};

}  // namespace holdfast::model
