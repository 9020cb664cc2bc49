#pragma once

#include "api/route.h"

namespace holdfast::repo {
class MaskingJobs;
}

namespace holdfast::api {

// POST /api/{T}/{id}/masking starts a masking job, GET …/masking/{num} shows it (docs/checks.md).
void add_masking_routes(RouteTable& table, repo::MaskingJobs& jobs);

}  // namespace holdfast::api
