#include "media/fourier.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

namespace holdfast::media {
namespace {

constexpr size_t prime_max = 31;  // Larger ones are slower by their definition than by Bluestein.

Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
Complex operator*(double a, Complex b) { return {a * b.re, a * b.im}; }
Complex conjugate(Complex a) { return {a.re, -a.im}; }
Complex quarter(Complex a) { return {a.im, -a.re}; }  // Times -i.

// exp(-2 pi i * part / whole), with the angle kept small.
Complex root(uint64_t part, uint64_t whole) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(part % whole) / static_cast<double>(whole);
  return {std::cos(angle), std::sin(angle)};
}

size_t greatest_prime(size_t n) {
  size_t greatest = 1;
  for (size_t p = 2; p * p <= n; ++p)
    while (n % p == 0) {
      greatest = p;
      n /= p;
    }
  return n > 1 ? n : greatest;
}

// One stage: `from` is [before, radix, after] of partial transforms of length `before`, `to` is
// [radix * before, after] of those of length radix * before.
struct Stage {
  size_t before;
  size_t radix;
  size_t after;
  const Complex* from;
  Complex* to;
  const std::vector<Complex>& roots;  // Of the whole length.

  Complex twiddle(size_t index) const { return roots[index * after % roots.size()]; }

  template <size_t Radix, class Butterfly>
  void each(Butterfly butterfly) const {
    for (size_t j = 0; j < before; ++j) {
      Complex turns[Radix];
      for (size_t q = 0; q < Radix; ++q) turns[q] = twiddle(j * q);
      const Complex* in = from + j * Radix * after;
      for (size_t k = 0; k < after; ++k) {
        Complex a[Radix];
        for (size_t q = 0; q < Radix; ++q) a[q] = turns[q] * in[q * after + k];
        butterfly(a);
        for (size_t s = 0; s < Radix; ++s) to[(j + s * before) * after + k] = a[s];
      }
    }
  }

  void by_two() const {
    each<2>([](Complex* a) {
      const Complex sum = a[0] + a[1];
      a[1] = a[0] - a[1];
      a[0] = sum;
    });
  }
  void by_three() const {
    const double sine = std::sqrt(3.0) / 2;
    each<3>([sine](Complex* a) {
      const Complex sum = a[1] + a[2];
      const Complex turned = sine * quarter(a[1] - a[2]);
      const Complex middle = a[0] - 0.5 * sum;
      a[0] = a[0] + sum;
      a[1] = middle + turned;
      a[2] = middle - turned;
    });
  }
  void by_four() const {
    each<4>([](Complex* a) {
      const Complex even = a[0] + a[2];
      const Complex even_rest = a[0] - a[2];
      const Complex odd = a[1] + a[3];
      const Complex odd_rest = quarter(a[1] - a[3]);
      a[0] = even + odd;
      a[1] = even_rest + odd_rest;
      a[2] = even - odd;
      a[3] = even_rest - odd_rest;
    });
  }
  void by_five() const {
    const Complex one = root(1, 5);
    const Complex two = root(2, 5);
    each<5>([one, two](Complex* a) {
      const Complex outer = a[1] + a[4];
      const Complex outer_rest = quarter(a[1] - a[4]);
      const Complex inner = a[2] + a[3];
      const Complex inner_rest = quarter(a[2] - a[3]);
      const Complex first = a[0] + one.re * outer + two.re * inner;
      const Complex second = a[0] + two.re * outer + one.re * inner;
      const Complex first_turned = -one.im * outer_rest + -two.im * inner_rest;
      const Complex second_turned = -two.im * outer_rest + one.im * inner_rest;
      a[0] = a[0] + outer + inner;
      a[1] = first + first_turned;
      a[2] = second + second_turned;
      a[3] = second - second_turned;
      a[4] = first - first_turned;
    });
  }
  // By the definition.
  void by_any() const {
    const size_t step = roots.size() / radix;
    for (size_t j = 0; j < before; ++j)
      for (size_t s = 0; s < radix; ++s)
        for (size_t k = 0; k < after; ++k) {
          Complex sum;
          for (size_t q = 0; q < radix; ++q)
            sum = sum + roots[s * q % radix * step] * (twiddle(j * q) * from[(j * radix + q) * after + k]);
          to[(j + s * before) * after + k] = sum;
        }
  }
};

}  // namespace

RealFourier::Plan::Plan(size_t given) : length(given) {
  size_t rest = length;
  for (const size_t factor : {size_t{5}, size_t{3}, size_t{4}, size_t{2}})
    while (rest % factor == 0) {
      factors.push_back(factor);
      rest /= factor;
    }
  for (size_t p = 7; rest > 1; p += 2)
    while (rest % p == 0) {
      factors.push_back(p);
      rest /= p;
    }
  roots.resize(length);
  for (size_t k = 0; k < length; ++k) roots[k] = root(k, length);
}

void RealFourier::Plan::run(std::vector<Complex>& values, std::vector<Complex>& spare) const {
  spare.resize(length);
  size_t before = 1;
  for (const size_t radix : factors) {
    const Stage stage{before, radix, length / before / radix, values.data(), spare.data(), roots};
    switch (radix) {
      case 2:
        stage.by_two();
        break;
      case 3:
        stage.by_three();
        break;
      case 4:
        stage.by_four();
        break;
      case 5:
        stage.by_five();
        break;
      default:
        stage.by_any();
        break;
    }
    values.swap(spare);
    before *= radix;
  }
}

RealFourier::RealFourier(size_t length)
    : length_(length),
      packed_(length % 2 == 0),
      inner_(packed_ ? length / 2 : length),
      chirped_(greatest_prime(inner_) > prime_max),
      plan_(chirped_ ? std::bit_ceil(2 * inner_ - 1) : inner_) {
  if (packed_) {
    turns_.resize(bins());
    for (size_t k = 0; k < bins(); ++k) turns_[k] = root(k, length_);
  }
  if (!chirped_) return;
  chirp_.resize(inner_);
  for (uint64_t k = 0; k < inner_; ++k) chirp_[k] = root(k * k % (2 * inner_), 2 * inner_);
  chirp_spectrum_.resize(plan_.length);
  for (size_t k = 0; k < inner_; ++k) {
    chirp_spectrum_[k] = conjugate(chirp_[k]);
    chirp_spectrum_[(plan_.length - k) % plan_.length] = conjugate(chirp_[k]);
  }
  std::vector<Complex> spare;
  plan_.run(chirp_spectrum_, spare);
}

void RealFourier::run_complex(Scratch& scratch) const {
  if (!chirped_) return plan_.run(scratch.values, scratch.spare);
  // As a product with chirps: k * t = (k^2 + t^2 - (k - t)^2) / 2.
  std::vector<Complex>& wide = scratch.wide;
  wide.assign(plan_.length, {});
  for (size_t k = 0; k < inner_; ++k) wide[k] = scratch.values[k] * chirp_[k];
  plan_.run(wide, scratch.wide_spare);
  for (size_t k = 0; k < plan_.length; ++k) wide[k] = conjugate(wide[k] * chirp_spectrum_[k]);
  plan_.run(wide, scratch.wide_spare);  // The inverse, conjugated and without its factor.
  const double scale = 1 / static_cast<double>(plan_.length);
  for (size_t k = 0; k < inner_; ++k) scratch.values[k] = scale * (conjugate(wide[k]) * chirp_[k]);
}

void RealFourier::run(std::span<const double> in, std::span<Complex> out, Scratch& scratch) const {
  std::vector<Complex>& values = scratch.values;
  values.resize(inner_);
  for (size_t k = 0; k < inner_; ++k)
    values[k] = packed_ ? Complex{in[2 * k], in[2 * k + 1]} : Complex{in[k], 0};
  run_complex(scratch);
  if (!packed_) {
    for (size_t k = 0; k < bins(); ++k) out[k] = values[k];
    return;
  }
  // The even numbers' transform was the real part, the odd numbers' the imaginary.
  for (size_t k = 0; k < bins(); ++k) {
    const Complex here = values[k % inner_];
    const Complex mirror = conjugate(values[(inner_ - k) % inner_]);
    const Complex even = 0.5 * (here + mirror);
    const Complex odd = 0.5 * quarter(here - mirror);
    out[k] = even + turns_[k] * odd;
  }
}

std::vector<Complex> plain_fourier(std::span<const double> in) {
  std::vector<Complex> out(in.size() / 2 + 1);
  for (uint64_t k = 0; k < out.size(); ++k)
    for (uint64_t t = 0; t < in.size(); ++t) out[k] = out[k] + in[t] * root(k * t % in.size(), in.size());
  return out;
}

}  // namespace holdfast::media
