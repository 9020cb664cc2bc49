#pragma once

#include "api/route.h"

namespace holdfast::serve {
class Models;
}

namespace holdfast::api {

// The open inference protocol, version 2, with binary tensors: /v2/** over all models, named "ns/name" and
// with a revision as version, and the same under one model's or endpoint's own address (reference: serving,
// 1.5). Models take texts: docs/formats/kserve.md says which tensors each task has.
void add_kserve_routes(RouteTable& table, Services& services, serve::Models& models);

}  // namespace holdfast::api
