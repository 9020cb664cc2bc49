#pragma once

#include <optional>

#include "base/result.h"
#include "net/message.h"
#include "net/router.h"

namespace holdfast::page {

// What a browser gets where no route answers: the document of the pages, whose script reads the address. For
// an error of routing (no such path, or no such method on it) and a GET or HEAD that accepts text/html;
// nullopt for all else, so programs keep their JSON errors. Paths of machines (/api, /v1 …) have no pages.
std::optional<net::Response> answer_browser(const net::Request& request, const Error& error);

// GET /static/{path*}.
Status add_asset_routes(net::Router& router);

}  // namespace holdfast::page
