#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace holdfast::net {

// Who asks, and whether over TLS, where a proxy stands in front.
struct Asker {
  std::string address;
  bool secure = false;
};

// Goes back through X-Forwarded-For (addresses separated by commas, each proxy adds the one it was asked by
// at the end) for as long as the one who says so is among `trusted`; what comes after that could be anybody's
// invention. X-Forwarded-Proto counts where the peer itself is trusted. Without trusted proxies, or for text
// that is no address, it is the peer.
Asker forwarded(const Headers& headers, const Asker& peer, const std::vector<std::string>& trusted);

// "127.0.0.1, ::1" read; bad_request for what is no address.
Result<std::vector<std::string>> parse_addresses(std::string_view list);

}  // namespace holdfast::net
