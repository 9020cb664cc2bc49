#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace holdfast::media {

// Plain numbers: std::complex multiplies with care for infinities, which costs a factor here.
struct Complex {
  double re = 0;
  double im = 0;
};

// The discrete Fourier transform of `length` real numbers, any length from 1: by its prime factors, and where
// one is large by a product of transforms of a power of two (Bluestein). Immutable; scratch is the caller's.
class RealFourier {
 public:
  explicit RealFourier(size_t length);

  size_t length() const { return length_; }
  size_t bins() const { return length_ / 2 + 1; }

  struct Scratch {
    std::vector<Complex> values;
    std::vector<Complex> spare;
    std::vector<Complex> wide;
    std::vector<Complex> wide_spare;
  };

  // in: length(); out: the first bins(), the rest being their mirror.
  void run(std::span<const double> in, std::span<Complex> out, Scratch& scratch) const;

 private:
  // One complex transform by factors.
  struct Plan {
    explicit Plan(size_t length);
    void run(std::vector<Complex>& values, std::vector<Complex>& spare) const;

    size_t length;
    std::vector<size_t> factors;
    std::vector<Complex> roots;  // exp(-2 pi i k / length).
  };

  void run_complex(Scratch& scratch) const;  // scratch.values, in place.

  size_t length_;
  bool packed_;   // Even: half as many complex numbers.
  size_t inner_;  // Length of the complex transform.
  bool chirped_;  // Bluestein.
  Plan plan_;
  std::vector<Complex> chirp_;           // exp(-pi i k^2 / inner).
  std::vector<Complex> chirp_spectrum_;  // Of its inverse, over the plan's length.
  std::vector<Complex> turns_;           // exp(-2 pi i k / length), for unpacking.
};

// The same by its definition: the oracle of the tests.
std::vector<Complex> plain_fourier(std::span<const double> in);

}  // namespace holdfast::media
