// Products of whole numbers on AVX-512 with VNNI, apart from those of bytes as each takes a while to compile.
#include "tensor/kernels.h"
#include "tensor/simd/whole_rows_vnni.h"

namespace holdfast::tensor {

void avx512_vnni_whole_dots(const WholeDotsJob& job) { WholeRowsVnni::run(job); }

}  // namespace holdfast::tensor
