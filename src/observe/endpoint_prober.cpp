#include "observe/endpoint_prober.h"

#include <vector>

namespace holdfast::observe {

Status EndpointProber::tick(const std::stop_token& stop) {
  TRY(const std::vector<std::string> endpoints, probed_endpoints(parts_.database));
  for (const std::string& endpoint : endpoints) {
    if (stop.stop_requested()) return Done{};
    const Status looked = look_at(endpoint, stop);
    if (!looked.ok()) parts_.log.failure("probe_failed", looked.error(), {{"endpoint", endpoint}});
  }
  return Done{};
}

Status EndpointProber::look_at(const std::string& endpoint, const std::stop_token& stop) {
  TRY(const auto by, parts_.asker.standing(endpoint));
  if (!by) return Done{};
  TRY(const std::vector<EndpointProbe> probes, read_probes(parts_.database, endpoint));
  ProbeOutcome outcome;
  for (size_t i = 0; i < probes.size() && !stop.stop_requested(); ++i)
    TRY_DONE(ask(endpoint, i, probes[i], *by, stop, outcome));
  teller_.tell({"endpoint", endpoint, by->model.commit}, parts_.names.of(*by), outcome);
  return Done{};
}

Status EndpointProber::ask(const std::string& endpoint, size_t position, EndpointProbe probe,
                           const serve::ReleaseAnswer& by, const std::stop_token& stop,
                           ProbeOutcome& outcome) {
  Context context;
  context.stop = stop;
  const auto began = parts_.ticks.now();
  const auto answer = parts_.asker.ask(context, endpoint, probe.path, probe.body);
  if (!answer.ok() || answer.value().size() > probe_bytes_max) {  // Too long to be compared.
    if (!stop.stop_requested()) ++outcome.failed;
    return Done{};
  }
  outcome.seconds = std::chrono::duration<double>(parts_.ticks.now() - began).count();
  if (probe.stated || probe.revision == by.model.commit) {
    ++(says_the_same(probe.answer, probe.stated, answer.value()) ? outcome.right : outcome.wrong);
    return Done{};
  }
  ++outcome.right;  // It answers, and from now on so.
  probe.revision = by.model.commit;
  probe.answer = answer.value();
  return learn_answer(parts_.database, endpoint, position, probe);
}

}  // namespace holdfast::observe
