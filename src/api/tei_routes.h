#pragma once

#include "api/route.h"

namespace holdfast::serve {
class Models;
}

namespace holdfast::api {

// text-embeddings-inference's addresses under /models/{ns}/{name}, and so under an endpoint's own: embed,
// embed_all, embed_sparse (refused), predict, rerank, similarity, tokenize, decode, info, health (reference:
// serving, 1.3). Its clients take such an address as their server's.
void add_tei_routes(RouteTable& table, Services& services, serve::Models& models);

}  // namespace holdfast::api
