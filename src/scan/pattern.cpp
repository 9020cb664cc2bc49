#define PCRE2_CODE_UNIT_WIDTH 8
#include "scan/pattern.h"

#include <pcre2.h>

#include "base/check.h"

namespace holdfast::scan {
namespace {

constexpr uint32_t match_limit = 200'000;

// What a match needs beside the pattern; one a thread.
struct Room {
  pcre2_match_data* data = pcre2_match_data_create(2, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  Room() {
    CHECK(data != nullptr && context != nullptr);
    pcre2_set_match_limit(context, match_limit);
  }
  ~Room() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
};

const pcre2_code* code_of(const void* code) { return static_cast<const pcre2_code*>(code); }

}  // namespace

void Pattern::Free::operator()(void* code) const { pcre2_code_free(static_cast<pcre2_code*>(code)); }

Pattern::Pattern(std::string_view pattern) {
  int error = 0;
  size_t where = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_MULTILINE, &error, &where, nullptr);
  CHECK(code != nullptr);
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // Without it the pattern is merely slower.
  code_.reset(code);
}

std::optional<Pattern::Match> Pattern::find(std::string_view text, size_t from) const {
  thread_local Room room;
  const int count = pcre2_match(code_of(code_.get()), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                from, 0, room.data, room.context);
  if (count < 0) return {};
  const size_t* at = pcre2_get_ovector_pointer(room.data);
  Match match{.begin = at[0], .end = at[1], .captured = text.substr(at[0], at[1] - at[0])};
  // Zero: it has more groups than there is room for; the first is there.
  if (count != 1 && at[2] != PCRE2_UNSET) match.captured = text.substr(at[2], at[3] - at[2]);
  return match;
}

}  // namespace holdfast::scan
