#include "tensor/kernels.h"

#include <cstdlib>

#include "tensor/attend_job.h"
#include "tensor/precision.h"

namespace holdfast::tensor {
namespace {

Kernels with(const Kernels& base, Isa isa, Precision precision, const ProductKernel& better) {
  Kernels out = base;
  out.isa = isa;
  out.products[static_cast<size_t>(precision)] = better;
  return out;
}

Kernels with(Kernels base, void (*block_dots)(const BlockDotsJob&), void (*whole_dots)(const WholeDotsJob&)) {
  base.block_dots = block_dots;
  base.whole_dots = whole_dots;
  return base;
}

}  // namespace

const Kernels& kernels_for(Isa isa) {
  static const Kernels avx2 = with(with(avx2_kernels, Isa::avx2, Precision::bf16, avx2_pairs), Isa::avx2,
                                   Precision::int8, avx2_bytes);
  static const Kernels avx512 = with(with(avx512_kernels, Isa::avx512, Precision::bf16, avx512_pairs),
                                     Isa::avx512, Precision::int8, avx512_bytes);
  static const Kernels avx2_vnni = with(with(avx2, Isa::avx2_vnni, Precision::int8, avx2_vnni_bytes),
                                        avx2_vnni_block_dots, avx2_vnni_whole_dots);
  static const Kernels avx512_vnni = with(with(avx512, Isa::avx512_vnni, Precision::int8, avx512_vnni_bytes),
                                          avx512_vnni_block_dots, avx512_vnni_whole_dots);
  static const Kernels avx512_bf16 = with(avx512_vnni, Isa::avx512_bf16, Precision::bf16, avx512_bf16_pairs);
  static const Kernels amx = with(
      with(with(avx512_bf16, Isa::amx, Precision::bf16, amx_pairs), Isa::amx, Precision::int8, amx_bytes),
      amx_block_dots, amx_whole_dots);
  switch (isa) {
    case Isa::plain:
      return plain_kernels;
    case Isa::avx2:
      return avx2;
    case Isa::avx2_vnni:
      return avx2_vnni;
    case Isa::avx512:
      return avx512;
    case Isa::avx512_vnni:
      return avx512_vnni;
    case Isa::avx512_bf16:
      return avx512_bf16;
    case Isa::amx:
      return amx;
  }
  std::abort();
}

AttendKernel attend_kernel(Isa isa) { return isa == Isa::amx ? amx_attend : nullptr; }

}  // namespace holdfast::tensor
