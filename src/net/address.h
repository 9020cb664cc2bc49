#pragma once

struct sockaddr;

namespace holdfast::net {

// Whether an IPv4 or IPv6 address is one of the public internet: IANA's special-purpose registries (RFC 6890
// and followers) are refused, and what is mapped or tunnelled is judged by the address inside.
bool is_public_address(const sockaddr& address);

}  // namespace holdfast::net
