#include "api/health.h"

#include <fmt/format.h>

#include "api/services.h"
#include "base/log.h"
#include "base/metrics.h"

namespace holdfast::api {
namespace {

net::Response plain(int status, std::string body, std::string type) {
  net::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::move(type));
  response.headers.set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

// ,"degraded":[…] where something does not work.
std::string degraded_member(const std::function<std::vector<std::string>()>& degraded) {
  std::string parts;
  for (const std::string& part : degraded ? degraded() : std::vector<std::string>()) {
    parts += parts.empty() ? ",\"degraded\":[\"" : ",\"";
    append_json_escaped(parts, part);
    parts += '"';
  }
  if (!parts.empty()) parts += ']';
  return parts;
}

}  // namespace

void add_health_routes(RouteTable& table, Services& services, std::function<Status()> ready,
                       std::function<std::vector<std::string>()> degraded, observe::AliasSet aliases) {
  table.add({"GET", "/healthz", "healthz", Access::open, 0,
             CallHandler([degraded](const Call&) -> Result<net::Response> {
               return plain(200, fmt::format("{{\"status\":\"ok\"{}}}\n", degraded_member(degraded)),
                            "application/json");
             })});
  table.add({"GET", "/readyz", "readyz", Access::open, 0,
             CallHandler([ready, degraded](const Call&) -> Result<net::Response> {
               const Status now = ready();
               if (now.ok()) {
                 return plain(200, fmt::format("{{\"status\":\"ready\"{}}}\n", degraded_member(degraded)),
                              "application/json");
               }
               std::string why;
               append_json_escaped(why, now.error().message);
               return plain(503, fmt::format("{{\"status\":\"not ready\",\"reason\":\"{}\"}}\n", why),
                            "application/json");
             })});
  table.add({"GET", "/metrics", "metrics", Access::open, 0,
             CallHandler([&metrics = services.metrics,
                          aliases = std::move(aliases)](const Call&) -> Result<net::Response> {
               std::string text = metrics.text();
               if (!aliases.empty()) text += observe::metric_aliases(text, aliases);
               return plain(200, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
             })});
}

}  // namespace holdfast::api
