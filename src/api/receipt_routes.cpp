#include "api/receipt_routes.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/services.h"
#include "identity/checkpoint.h"
#include "serve/capabilities.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

Result<net::Response> key(Services& services, const Call&) {
  if (services.guards == nullptr || services.guards->key == nullptr)
    return fail(Reason::not_offered, "this server signs no receipts");
  return json_answer(
      boost::json::object{{"algorithm", "ed25519"}, {"key", services.guards->key->public_key()}});
}

// What answers are computed with here, which receipts name and locks pin.
Result<net::Response> runtime(Services& services, const Call&) {
  if (services.guards == nullptr)
    return fail(Reason::not_offered, "this server does not say what it runs on");
  boost::json::object libraries;
  for (const auto& [name, version] : services.guards->libraries) libraries[name] = version;
  return json_answer(
      boost::json::object{{"runtime", services.guards->runtime}, {"libraries", std::move(libraries)}});
}

// What models can run on here: whoever deploys one wants to know.
Result<net::Response> capabilities(Services& services, const Call&) {
  if (services.guards == nullptr || services.guards->capabilities == nullptr)
    return fail(Reason::not_offered, "this server does not say what it runs on");
  return json_answer(serve::capabilities_json(*services.guards->capabilities));
}

}  // namespace

void add_receipt_routes(RouteTable& table, Services& services) {
  table.add("GET", "/api/receipts/key", "receipt_key", Access::open, 0, services, key);
  // Of use to whoever looks for a library with a known hole, too.
  table.add("GET", "/api/runtime", "runtime", Access::instance_admin, 0, services, runtime);
  table.add("GET", "/api/capabilities", "capabilities", Access::signed_in, 0, services, capabilities);
}

}  // namespace holdfast::api
