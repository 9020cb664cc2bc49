#include "observe/trace_record.h"

#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace holdfast::observe {
namespace {

using View = std::string_view;
constexpr std::array texts{&TraceRecord::request,   &TraceRecord::trace,      &TraceRecord::span,
                           &TraceRecord::parent,    &TraceRecord::user,       &TraceRecord::model,
                           &TraceRecord::commit,    &TraceRecord::deployment, &TraceRecord::record,
                           &TraceRecord::door,      &TraceRecord::method,     &TraceRecord::route,
                           &TraceRecord::tokenizer, &TraceRecord::upstream,   &TraceRecord::reason};
using Lengths = std::array<uint32_t, texts.size()>;
static_assert(std::is_trivially_copyable_v<TraceRecord::Numbers>);

}  // namespace

void TraceRecord::pack(std::string& into) const {
  Lengths lengths;
  for (size_t i = 0; i < texts.size(); ++i) lengths[i] = static_cast<uint32_t>((this->*texts[i]).size());
  into.clear();
  into.append(reinterpret_cast<const char*>(&numbers), sizeof numbers);
  into.append(reinterpret_cast<const char*>(lengths.data()), sizeof lengths);
  for (const auto text : texts) into += this->*text;
}

TraceRecord TraceRecord::unpack(std::string_view packed) {
  TraceRecord out;
  Lengths lengths;
  CHECK(packed.size() >= sizeof out.numbers + sizeof lengths);
  std::memcpy(&out.numbers, packed.data(), sizeof out.numbers);
  std::memcpy(lengths.data(), packed.data() + sizeof out.numbers, sizeof lengths);
  packed.remove_prefix(sizeof out.numbers + sizeof lengths);
  for (size_t i = 0; i < texts.size(); ++i) {
    CHECK(lengths[i] <= packed.size());
    out.*texts[i] = packed.substr(0, lengths[i]);
    packed.remove_prefix(lengths[i]);
  }
  return out;
}

TraceRecord record_of(const Answered& answered, const Judgement& judgement, Random& random) {
  const serve::ServedCall& call = answered.call;
  TraceRecord out{.request = call.id,
                  .trace = answered.trace.trace,
                  .span = answered.trace.span,
                  .parent = answered.trace.parent,
                  .user = call.user,
                  .model = call.by.model.name,
                  .commit = call.by.model.commit,
                  .deployment = call.by.deployment,
                  .record = call.by.record,
                  .door = call.door,
                  .method = answered.method,
                  .route = answered.route,
                  .tokenizer = call.by.tokenizer,
                  .upstream = answered.upstream_span,
                  .reason = judgement.reason};
  out.numbers = {.release = call.by.release,
                 .status = call.status,
                 .input_bytes = call.input.size(),
                 .output_bytes = call.output.size(),
                 .work = answered.work,
                 .began_ns = std::chrono::nanoseconds(answered.began.time_since_epoch()).count(),
                 .took_ns = answered.took.count(),
                 .post_ns = judgement.post.count(),
                 .outcome = judgement.outcome,
                 .expected = judgement.expected};
  random.fill(out.numbers.ids);
  return out;
}

}  // namespace holdfast::observe
