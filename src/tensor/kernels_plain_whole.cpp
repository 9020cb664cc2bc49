// Products of whole numbers, word for word what whole_format.h says.
#include <cmath>
#include <cstring>

#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

class PlainWhole {
 public:
  explicit PlainWhole(const WholeDotsJob& job) : job_(job), pieces_(pieces_of(job.inputs)) {}

  void run() const {
    for (size_t row = 0; row < job_.row_count; ++row)
      for (size_t column = 0; column < job_.strip_count * strip_columns; ++column)
        job_.sums[row * job_.sums_stride + column] = sum(row, column);
  }

 private:
  template <class Number>
  static Number read(const std::byte* at) {
    Number out;
    std::memcpy(&out, at, sizeof out);
    return out;
  }
  // Of input i of a group that begins at `at`.
  int32_t weight(const std::byte* at, size_t lane, size_t i) const {
    const size_t half = job_.group / 2, place = i % half;
    const auto byte = static_cast<uint8_t>(at[line_bytes + place / 4 * line_bytes + lane * 4 + place % 4]);
    const int32_t code = i < half ? byte & 15 : byte >> 4;
    return read<int16_t>(at + 4 * lane) * (code - 8) + read<int16_t>(at + 4 * lane + 2);
  }
  float sum(size_t row, size_t column) const {
    const std::byte* at = job_.strips + column / strip_columns * job_.strip_bytes;
    const size_t lane = column % strip_columns;
    const int8_t* codes = job_.rows.codes + job_.rows.place(row, job_.inputs);
    float out = 0;
    size_t k = 0;
    for (size_t piece = 0; piece < pieces_; ++piece) {
      const auto scale = read<float>(at + 4 * lane);
      at += line_bytes;
      int32_t first = 0, fine = 0;
      for (const size_t end = std::min(job_.inputs, k + whole_piece); k < end;
           at += whole_group_bytes(job_.group))
        for (size_t i = 0; i < job_.group; ++i, ++k) {
          const int8_t* code = codes + k / pair_inputs * job_.rows.step() + k % pair_inputs;
          first += weight(at, lane, i) * code[0];
          fine += weight(at, lane, i) * code[pair_inputs];
        }
      const float whole =
          std::fma(static_cast<float>(first), static_cast<float>(whole_steps), static_cast<float>(fine));
      out = std::fma(whole, scale * job_.rows.scales[row * pieces_ + piece], out);
    }
    return out;
  }

  const WholeDotsJob& job_;
  const size_t pieces_;
};

}  // namespace

void plain_whole_dots(const WholeDotsJob& job) { PlainWhole(job).run(); }

}  // namespace holdfast::tensor
