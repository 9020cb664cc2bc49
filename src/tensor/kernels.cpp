#include "tensor/kernels.h"

#include <cstdlib>

namespace holdfast::tensor {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
    case Isa::plain:
      return plain_kernels;
    case Isa::avx2:
      return avx2_kernels;
    case Isa::avx512:
      return avx512_kernels;
  }
  std::abort();
}

}  // namespace holdfast::tensor
