#include "api/lfs_address.h"

#include <charconv>

#include "codec/hex.h"
#include "content/hash.h"

namespace holdfast::api {
namespace {

template <class Number>
Result<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(Reason::bad_request, "a number in the address is none");
  return number;
}

codec::FormPairs words_of(const LfsTicket& ticket) {
  return {{"oid", content::to_text(ticket.oid)},
          {"size", std::to_string(ticket.size)},
          {"repo", std::to_string(ticket.repo.raw)},
          {"user", std::to_string(ticket.user.raw)},
          {"token", std::to_string(ticket.token.raw)}};
}

}  // namespace

std::string LfsAddresses::upload(std::string_view base_url, const LfsTicket& ticket) const {
  return std::string(base_url) + signature_.sign("PUT", "/lfs/objects/" + content::to_text(ticket.oid),
                                                 words_of(ticket), upload_expires());
}

std::string LfsAddresses::download(std::string_view base_url, const LfsTicket& ticket) const {
  return std::string(base_url) + signature_.sign("GET", "/lfs/objects/" + content::to_text(ticket.oid),
                                                 words_of(ticket), download_expires());
}

std::string LfsAddresses::part(std::string_view base_url, const LfsTicket& ticket,
                               const LfsPart& part) const {
  codec::FormPairs words = words_of(ticket);
  words.emplace_back("part_size", std::to_string(part.size));
  const std::string path = "/lfs/parts/" + part.folder + "/" + std::to_string(part.number);
  return std::string(base_url) + signature_.sign("PUT", path, std::move(words), upload_expires());
}

std::string LfsAddresses::complete(std::string_view base_url, const LfsTicket& ticket,
                                   std::string_view folder, uint64_t part_bytes) const {
  codec::FormPairs words = words_of(ticket);
  words.emplace_back("part_bytes", std::to_string(part_bytes));
  const std::string path = "/lfs/parts/" + std::string(folder);
  return std::string(base_url) + signature_.sign("POST", path, std::move(words), upload_expires());
}

Result<LfsTicket> LfsAddresses::read(const net::Request& request) const {
  TRY(const net::Query words, signature_.check(request, clock_.wall()));
  LfsTicket ticket;
  TRY(ticket.oid, content::parse_sha256(words.get("oid")));
  TRY(ticket.size, number_of<uint64_t>(words.get("size")));
  TRY(ticket.repo.raw, number_of<int64_t>(words.get("repo")));
  TRY(ticket.user.raw, number_of<int64_t>(words.get("user")));
  TRY(ticket.token.raw, number_of<int64_t>(words.get("token")));
  return ticket;
}

Result<LfsPart> LfsAddresses::read_part(const net::Request& request) const {
  LfsPart part;
  part.folder = std::string(request.capture("folder"));
  TRY(part.number, number_of<uint32_t>(request.capture("number")));
  TRY(part.size, number_of<uint64_t>(request.query().get("part_size")));
  return part;
}

Result<uint64_t> LfsAddresses::read_part_bytes(const net::Request& request) const {
  return number_of<uint64_t>(request.query().get("part_bytes"));
}

std::string LfsAddresses::part_folder(const LfsTicket& ticket) const {
  std::string text;
  for (const auto& [name, value] : words_of(ticket)) text += name + "=" + value + "\n";
  codec::Sha256 hash;
  hash.update(as_bytes(text));
  const std::string name = codec::to_hex(hash.finish()).substr(0, 32);
  // Whole days, so that asking again finds the parts that are there.
  const auto day = std::chrono::floor<std::chrono::days>(clock_.wall()) + std::chrono::days(2);
  const auto expires = std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count();
  return std::to_string(expires) + "-" + name;
}

}  // namespace holdfast::api
