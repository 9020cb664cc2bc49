#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include "base/result.h"

namespace holdfast {

// Runs a job of a pool or a request and turns an exception (of std, of a library) into Code::internal. One of
// the two doors where exceptions stop. Whoever answers logs the message and tells the caller nothing of it.
template <class Work>
auto guarded(Work&& work) noexcept -> std::invoke_result_t<Work> {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& unexpected) {
    return fail(Code::internal, unexpected.what());
  } catch (...) {
    return fail(Code::internal, "something that is no std::exception was thrown");
  }
}

}  // namespace holdfast
