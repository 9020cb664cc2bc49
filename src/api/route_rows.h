#pragma once

#include <string_view>
#include <utility>

#include "api/route.h"

namespace holdfast::api {

// A row of one protocol's table, all whose routes are for signed-in callers: `what` is what its handler needs
// to know of it, a function mostly.
template <typename What>
struct RouteRow {
  const char *method, *pattern, *name;
  What what;
};

// Adds the rows; each is answered by answer(call, what). Only POST has a body.
template <typename What, size_t count, typename Answer>
void add_rows(RouteTable& table, const RouteRow<What> (&rows)[count], uint64_t body_bytes_max,
              Dialect dialect, const Answer& answer) {
  for (const RouteRow<What>& row : rows)
    table.add(
        {.method = row.method,
         .pattern = row.pattern,
         .name = row.name,
         .access = Access::signed_in,
         .body_bytes_max = std::string_view(row.method) == "POST" ? body_bytes_max : 0,
         .handle = CallHandler([answer, what = row.what](const Call& call) { return answer(call, what); }),
         .dialect = dialect});
}

// For rows that have their access in common with no other and their limit with all: adds one a call, as
// add("GET", "/api/…", "name", Access::signed_in, handler).
inline auto route_adder(RouteTable& table, uint64_t body_bytes_max) {
  return [&table, body_bytes_max](const char* method, const char* pattern, const char* name, Access access,
                                  CallHandler handler) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = body_bytes_max,
               .handle = std::move(handler)});
  };
}

}  // namespace holdfast::api
