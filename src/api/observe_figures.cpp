// /endpoints/{ns}/{name}/metrics: what is measured of one endpoint, under our names and under those of the
// engines whose addresses it answers.
#include "api/govern_call.h"
#include "api/observe_routes.h"
#include "api/services.h"
#include "base/metrics.h"
#include "govern/registry.h"
#include "observe/desk.h"
#include "observe/endpoint_figures.h"
#include "observe/metric_aliases.h"

namespace holdfast::api {
namespace {

net::Response figures(const Services& services, const std::string& label) {
  std::string text = observe::figures_of_endpoint(services.metrics.text(), label);
  text +=
      observe::metric_aliases(text, {observe::AliasOf::tgi, observe::AliasOf::tei, observe::AliasOf::vllm});
  net::Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

}  // namespace

void add_observe_figure_routes(RouteTable& table, Services& services, govern::Registry& registry,
                               observe::Desk& desk) {
  table.add({"GET", "/endpoints/{ns}/{name}/metrics", "endpoint_metrics", Access::signed_in, 0,
             CallHandler([&services, &registry, &desk](const Call& call) -> Result<net::Response> {
               TRY(const govern::Endpoint endpoint,
                   registry.endpoints.find(call.caller, record_in_path(call)));
               return figures(services, endpoint.record.empty()
                                            ? desk.names().endpoint_of_model(endpoint.repository)
                                            : desk.names().endpoint_of(endpoint.record));
             })});
}

}  // namespace holdfast::api
