#include "net/server_probe.h"

#include <algorithm>

namespace holdfast::net {
namespace {

const std::vector<double> seconds_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1,      2.5,   5,    10,    30,   60,  300};

}  // namespace

ServerProbe::ServerProbe(Metrics& metrics, const Router& router)
    : metrics_(metrics),
      received_(metrics.counter("holdfast_http_received_bytes_total", "Bytes of request bodies read.")),
      sent_(metrics.counter("holdfast_http_sent_bytes_total", "Bytes of answers written, heads included.")),
      open_(metrics.gauge("holdfast_http_connections", "Connections that are open.")) {
  auto add = [this](const Route* route, std::string name, std::string method) {
    auto made = std::make_unique<Row>();
    made->name = std::move(name);
    made->method = std::move(method);
    rows_.emplace(route, std::move(made));
  };
  for (const auto& route : router.routes()) add(route.get(), route->name, route->method);
  add(nullptr, "none", "");
}

ServerProbe::Row& ServerProbe::row(const Route* route) {
  const auto found = rows_.find(route);
  return *(found == rows_.end() ? rows_.at(nullptr) : found->second);
}

void ServerProbe::request_finished(const Finished& finished) {
  Row& route = row(finished.route);
  const size_t kind = finished.method == route.method ? 0 : finished.method == "HEAD" ? 1 : 2;
  const int status_class = std::clamp(finished.status / 100, 1, 5);
  auto& counter = route.requests[kind][static_cast<size_t>(status_class - 1)];
  if (counter.load(std::memory_order_acquire) == nullptr) {
    // A method is a word the client chooses: only those we route are labels.
    const std::string method = kind == 0 ? route.method : kind == 1 ? "HEAD" : "other";
    counter.store(
        &metrics_.counter(
            "holdfast_http_requests_total", "Requests answered.",
            {{"route", route.name}, {"method", method}, {"status", std::to_string(status_class) + "xx"}}),
        std::memory_order_release);
  }
  counter.load(std::memory_order_acquire)->add();
  if (route.seconds.load(std::memory_order_acquire) == nullptr)
    route.seconds.store(&metrics_.histogram("holdfast_http_request_duration_seconds",
                                            "From the first byte of a head to the last byte of its answer.",
                                            seconds_bounds, {{"route", route.name}}),
                        std::memory_order_release);
  route.seconds.load(std::memory_order_acquire)
      ->observe(static_cast<double>(finished.duration.count()) / 1e3);
  received_.add(static_cast<double>(finished.bytes_in));
  sent_.add(static_cast<double>(finished.bytes_out));
}

void ServerProbe::refused(std::string_view why) {
  metrics_
      .counter("holdfast_http_refused_total", "Requests and connections turned away at once.",
               {{"why", std::string(why)}})
      .add();
}

}  // namespace holdfast::net
