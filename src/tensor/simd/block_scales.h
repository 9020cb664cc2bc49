#pragma once

// In an unnamed namespace, as the other files of this folder.

#include <cstddef>

#include "tensor/block_bytes.h"

namespace holdfast::tensor {
namespace {

// The scales, or leasts, of sixteen outputs' group at `at`; those that are parts are of the number at
// `super`. D: sixteen floats, as dots_avx512.h has them.
template <class D>
typename D::V numbers_at(ByteFormat::Scales kind, const std::byte* at, const std::byte* super) {
  switch (kind) {
    case ByteFormat::Scales::half:
      return D::halves(at);
    case ByteFormat::Scales::single:
      return D::singles(at);
    case ByteFormat::Scales::parts:
      break;
  }
  return D::times(D::bytes(at), D::halves(super));
}

}  // namespace
}  // namespace holdfast::tensor
