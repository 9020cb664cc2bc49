#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "observe/answered.h"
#include "serve/work.h"

namespace holdfast::observe {

// All that the spans of one request are made of, and whose it was; nothing that was asked or answered. Made
// for every request and looked at for next to none: views of what it was made of, which one text can keep.
struct TraceRecord {
  static constexpr size_t stages_max = 6, id_bytes = 8;

  struct Numbers {
    int64_t release = 0;
    int status = 0;
    uint64_t input_bytes = 0, output_bytes = 0;
    serve::Work work{};
    int64_t began_ns = 0, took_ns = 0, post_ns = 0;  // Of Answered and Judgement.
    Outcome outcome = Outcome::answered;
    Expected expected = Expected::anything;
    std::array<std::byte, stages_max * id_bytes> ids{};  // Of the stages' spans.
  };

  std::string_view request, trace, span, parent, user, model, commit, deployment, record, door, method, route,
      tokenizer, upstream, reason;
  Numbers numbers{};

  // Into a text whose room is used again.
  void pack(std::string& into) const;
  // Views of the text, which was packed.
  static TraceRecord unpack(std::string_view packed);
};

TraceRecord record_of(const Answered& answered, const Judgement& judgement, Random& random);

}  // namespace holdfast::observe
