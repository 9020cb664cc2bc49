#include "model/text_waves.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "model/row_work.h"

namespace holdfast::model {
namespace {

size_t power_for(size_t length) { return std::bit_ceil(2 * length - 1); }

}  // namespace

bool TextWaves::Factored::takes(size_t length) {
  CHECK(length > 0);
  for (size_t factor = 2; factor <= factor_max; ++factor)
    while (length % factor == 0) length /= factor;
  return length == 1;
}

TextWaves::Factored::Factored(size_t length) : length_(length), cosines_(length), sines_(length) {
  for (size_t rest = length, factor = 4; rest > 1;) {
    if (rest % factor == 0) {
      factors_.push_back(factor);
      rest /= factor;
    } else {
      factor = factor == 4 ? 2 : factor == 2 ? 3 : factor + 2;
    }
  }
  for (size_t i = 0; i < length; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
    cosines_[i] = static_cast<float>(std::cos(angle));
    sines_[i] = static_cast<float>(std::sin(angle));
  }
}

// Factor by factor, each writing where the next one reads in order (Stockham).
void TextWaves::Factored::run(Column& x, Column& spare) const {
  size_t left = length_, stride = 1;
  for (size_t factor : factors_) {
    const size_t each = left / factor, turn = length_ / factor;
    for (size_t q = 0; q < each; ++q)
      for (size_t r = 0; r < stride; ++r)
        for (size_t k = 0; k < factor; ++k) {
          Lanes sum = x[r + stride * q];
          for (size_t j = 1; j < factor; ++j) {
            const Lanes& from = x[r + stride * (q + each * j)];
            // Of this factor's own transform, and where the row stands among those that are left.
            const size_t angle = j * k % factor * turn;
            const float cosine = cosines_[angle], sine = sines_[angle];
            for (size_t lane = 0; lane < lanes; ++lane) {
              sum.real[lane] += from.real[lane] * cosine + from.imaginary[lane] * sine;
              sum.imaginary[lane] += from.imaginary[lane] * cosine - from.real[lane] * sine;
            }
          }
          const float cosine = cosines_[q * k * stride], sine = sines_[q * k * stride];
          Lanes& to = spare[r + stride * (factor * q + k)];
          for (size_t lane = 0; lane < lanes; ++lane) {
            to.real[lane] = sum.real[lane] * cosine + sum.imaginary[lane] * sine;
            to.imaginary[lane] = sum.imaginary[lane] * cosine - sum.real[lane] * sine;
          }
        }
    std::swap(x, spare);
    left = each;
    stride *= factor;
  }
}

TextWaves::TextWaves(size_t length)
    : length_(length), factored_(Factored::takes(length) ? length : power_for(length)) {
  CHECK(length > 0);
  if (Factored::takes(length)) return;
  const size_t power = power_for(length);
  chirp_.assign(power, Lanes{});
  for (size_t i = 0; i < length; ++i) {
    const double angle =
        std::numbers::pi * static_cast<double>(i * i % (2 * length)) / static_cast<double>(length);
    chirp_cosines_.push_back(static_cast<float>(std::cos(angle)));
    chirp_sines_.push_back(static_cast<float>(std::sin(angle)));
    for (const size_t place : {i, (power - i) % power}) {
      chirp_[place].real[0] = chirp_cosines_[i];
      chirp_[place].imaginary[0] = chirp_sines_[i];
    }
  }
  Column spare(power);
  factored_.run(chirp_, spare);
}

// With k n = (k k + n n - (k - n)(k - n)) / 2 the transform is a product with the chirp at distance k - n.
void TextWaves::run_chirped(Column& x, Column& spare) const {
  const size_t power = chirp_.size();
  const auto turn = [](Lanes& row, float cosine, float sine) {  // By -angle.
    for (size_t lane = 0; lane < lanes; ++lane) {
      const float real = row.real[lane];
      row.real[lane] = real * cosine + row.imaginary[lane] * sine;
      row.imaginary[lane] = row.imaginary[lane] * cosine - real * sine;
    }
  };
  for (size_t i = 0; i < length_; ++i) turn(x[i], chirp_cosines_[i], chirp_sines_[i]);
  std::fill(x.begin() + static_cast<ptrdiff_t>(length_), x.end(), Lanes{});
  factored_.run(x, spare);
  // The way back is the way there with imaginary parts turned before and after.
  for (size_t i = 0; i < power; ++i) {
    turn(x[i], chirp_[i].real[0], -chirp_[i].imaginary[0]);
    for (float& part : x[i].imaginary) part = -part;
  }
  factored_.run(x, spare);
  const float share = 1 / static_cast<float>(power);
  for (size_t i = 0; i < length_; ++i) {
    for (size_t lane = 0; lane < lanes; ++lane) {
      x[i].real[lane] *= share;
      x[i].imaginary[lane] *= -share;
    }
    turn(x[i], chirp_cosines_[i], chirp_sines_[i]);
  }
}

void TextWaves::run(Column& x, Column& spare) const {
  if (chirp_.empty())
    factored_.run(x, spare);
  else
    run_chirped(x, spare);
}

void TextWaves::add(const float* rows, size_t width, float* x, tensor::Threads& threads) const {
  by_rows(threads, (width + lanes - 1) / lanes, [&](size_t first, size_t count) {
    const size_t room = chirp_.empty() ? length_ : chirp_.size();
    Column column(room), spare(room);
    for (size_t block = first; block < first + count; ++block) {
      const size_t at = block * lanes, wide = std::min(lanes, width - at);
      for (size_t row = 0; row < length_; ++row) {
        const float* from = rows + row * 2 * width + at;
        for (size_t lane = 0; lane < wide; ++lane) {
          column[row].real[lane] = from[lane];
          column[row].imaginary[lane] = -from[width + lane];
        }
      }
      run(column, spare);
      for (size_t row = 0; row < length_; ++row)
        for (size_t lane = 0; lane < wide; ++lane) x[row * width + at + lane] += column[row].real[lane];
    }
  });
}

}  // namespace holdfast::model
