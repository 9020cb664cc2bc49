#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <utility>
#include <variant>

#include "base/reason.h"

namespace holdfast {

struct Error {
  Code code = Code::internal;
  Reason reason = Reason::none;
  std::string message;         // For the caller: no secrets, no server paths.
  std::source_location where;  // For the log only.
};

inline Error fail(Code code, std::string message,
                  std::source_location where = std::source_location::current()) {
  return Error{code, Reason::none, std::move(message), where};
}

// The usual form: the reason brings its code along.
inline Error fail(Reason reason, std::string message,
                  std::source_location where = std::source_location::current()) {
  return Error{reason_row(reason).code, reason, std::move(message), where};
}

// A value or the reason why there is none. Asking for the half that is not there is a broken invariant: it
// throws bad_variant_access, which only the doors of design.md 4 catch.
template <class T>
class [[nodiscard]] Result {
 public:
  Result()
      : state_(std::in_place_index<1>, Error{}) {}  // Asio's co_spawn needs a default; unset is an error.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace holdfast

#define HOLD_JOIN_(a, b) a##b
#define HOLD_JOIN(a, b) HOLD_JOIN_(a, b)
#define HOLD_TRY_(leave, temp, target, ...) \
  auto temp = (__VA_ARGS__);                \
  if (!temp.ok()) [[unlikely]]              \
    leave std::move(temp).error();          \
  target = std::move(temp).value()

// TRY(int port, parse_port(text)); declares or assigns; leaves the function with the error. A declaration
// macro, not an expression: g++ 12 crashes on co_await inside a statement expression. CO_TRY is its twin in
// coroutines. TRY_DONE(status) where there is no value to keep.
#define TRY(target, ...) HOLD_TRY_(return, HOLD_JOIN(try_, __COUNTER__), target, __VA_ARGS__)
#define CO_TRY(target, ...) HOLD_TRY_(co_return, HOLD_JOIN(try_, __COUNTER__), target, __VA_ARGS__)
#define TRY_DONE(...) HOLD_TRY_DONE_(HOLD_JOIN(try_done_, __COUNTER__), __VA_ARGS__)
#define HOLD_TRY_DONE_(temp, ...)     \
  do {                                \
    auto temp = (__VA_ARGS__);        \
    if (!temp.ok()) [[unlikely]]      \
      return std::move(temp).error(); \
  } while (false)
