#include "observe/prober.h"

#include <algorithm>
#include <vector>

#include "govern/registry.h"
#include "govern/release_asker.h"
#include "identity/own_caller.h"

namespace holdfast::observe {
namespace {

constexpr std::string_view actor = "(probe)";

bool is_probed(govern::ReleaseState state) {
  return govern::is_live(state) || state == govern::ReleaseState::approved;
}

}  // namespace

Status Prober::tick(const std::stop_token& stop) {
  TRY(const auto live, parts_.registry.live.look());
  for (const govern::Governed& governed : live->records) {
    const std::string& record = governed.stored.record.id;
    if (std::none_of(governed.releases.begin(), governed.releases.end(),
                     [](const govern::Release& one) { return is_probed(one.state); }))
      continue;
    TRY(std::vector<govern::GoldenExample> examples,
        parts_.registry.review.golden(identity::own_caller(actor), record));
    if (examples.empty()) continue;
    size_t& next = next_[record];
    const size_t count = std::min(examples.size(), examples_a_round);
    std::rotate(examples.begin(), examples.begin() + static_cast<ptrdiff_t>(next % examples.size()),
                examples.end());
    next = (next + count) % examples.size();
    for (const govern::Release& release : governed.releases) {
      if (stop.stop_requested()) return Done{};
      if (is_probed(release.state))
        teller_.tell({"record", release.record, std::to_string(release.number)},
                     parts_.names.of_release(release.record, release.number),
                     ask(release, std::span(examples).first(count), stop));
    }
  }
  return Done{};
}

ProbeOutcome Prober::ask(const govern::Release& release, std::span<const govern::GoldenExample> examples,
                         const std::stop_token& stop) {
  ProbeOutcome outcome;
  auto asker = parts_.askers.open(release, identity::own_caller(actor));
  if (!asker.ok()) {
    parts_.log.failure("probe_failed", asker.error(),
                       {{"record", release.record}, {"release", release.number}});
    outcome.failed = 1;
    return outcome;
  }
  for (const govern::GoldenExample& example : examples) {
    if (stop.stop_requested()) break;
    Context context;
    context.stop = stop;
    const auto answer = asker.value()->ask(context, example.input);
    if (!answer.ok()) {
      ++outcome.failed;
      continue;
    }
    outcome.seconds = answer.value().answer.milliseconds / 1000;
    ++(answer.value().answer.predicted == example.label ? outcome.right : outcome.wrong);
  }
  return outcome;
}

}  // namespace holdfast::observe
