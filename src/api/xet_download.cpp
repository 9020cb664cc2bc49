#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/services.h"
#include "api/xet_door.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr auto address_life = std::chrono::hours(1);
constexpr size_t files_max = 256;  // Of one question.

// Good for these bytes of this xorb and nothing else.
std::string data_address(const XetDoor& door, const Call& call, const content::Reconstruction::Fetch& fetch) {
  const std::string path = "/cas/data/" + content::to_text(fetch.xorb);
  return call.base_url + door.data_addresses.sign(
                             "GET", path,
                             {{"first", std::to_string(fetch.first)}, {"last", std::to_string(fetch.last)}},
                             door.services.clock.wall() + address_life);
}

json::object span_of(uint64_t start, uint64_t end) { return {{"start", start}, {"end", end}}; }

json::array terms_of(const content::Reconstruction& made) {
  json::array terms;
  for (const content::Term& term : made.terms)
    terms.push_back(json::object{{"hash", content::to_text(term.xorb)},
                                 {"unpacked_length", term.length},
                                 {"range", span_of(term.chunks.first, term.chunks.end)}});
  return terms;
}

json::array& entry(json::object& object, const content::XorbHash& xorb) {
  json::value& value = object[content::to_text(xorb)];
  if (!value.is_array()) value.emplace_array();
  return value.get_array();
}

// Each range has an address of its own, so that nobody asks for several at once.
void add_fetches_v1(const XetDoor& door, const Call& call, const content::Reconstruction& made,
                    json::object& into) {
  for (const auto& fetch : made.fetches)
    entry(into, fetch.xorb)
        .push_back(json::object{{"range", span_of(fetch.chunks.first, fetch.chunks.end)},
                                {"url", data_address(door, call, fetch)},
                                {"url_range", span_of(fetch.first, fetch.last)}});
}

void add_fetches_v2(const XetDoor& door, const Call& call, const content::Reconstruction& made,
                    json::object& into) {
  for (const auto& fetch : made.fetches)
    entry(into, fetch.xorb)
        .push_back(json::object{
            {"url", data_address(door, call, fetch)},
            {"ranges", json::array{json::object{{"chunks", span_of(fetch.chunks.first, fetch.chunks.end)},
                                                {"bytes", span_of(fetch.first, fetch.last)}}}}});
}

Result<content::Reconstruction> asked_for(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::read));
  TRY(const auto hash, hash_in_path<content::FileHash>(call));
  TRY(const content::FileInfo file, readable_file(door, who, hash));
  std::optional<content::ByteSpan> span;
  if (const auto header = call.request.headers.find("Range")) {
    TRY(const auto range, net::parse_range(*header, file.size));
    if (range) span = content::ByteSpan{range->first, range->length()};
  }
  return door.services.content.reconstruction(hash, span);
}

Result<uint64_t> number_in(const net::Query& query, std::string_view name) {
  const std::string_view text = query.get(name);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return fail(Reason::forbidden, "This address was not made here");
  return number;
}

}  // namespace

Result<net::Response> xet_reconstruction_v1(const XetDoor& door, const Call& call) {
  TRY(const content::Reconstruction made, asked_for(door, call));
  json::object fetches;
  add_fetches_v1(door, call, made, fetches);
  return json_answer(json::object{{"offset_into_first_range", made.offset_into_first},
                                  {"terms", terms_of(made)},
                                  {"fetch_info", std::move(fetches)}});
}

Result<net::Response> xet_reconstruction_v2(const XetDoor& door, const Call& call) {
  TRY(const content::Reconstruction made, asked_for(door, call));
  json::object fetches;
  add_fetches_v2(door, call, made, fetches);
  return json_answer(json::object{{"offset_into_first_range", made.offset_into_first},
                                  {"terms", terms_of(made)},
                                  {"xorbs", std::move(fetches)}});
}

// Several whole files at once; those that are not there, or not the caller's, are left out.
Result<net::Response> xet_reconstructions(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::read));
  const net::Query query = call.query();
  const auto names = query.all("file_id");
  if (names.size() > files_max) return fail(Reason::bad_request, "these are too many files for one question");
  json::object files, fetches;
  for (const std::string_view name : names) {
    TRY(const auto hash, content::parse_hash<content::FileHash>(name));
    const auto file = readable_file(door, who, hash);
    if (!file.ok() && file.error().reason == Reason::object_missing) continue;
    if (!file.ok()) return file.error();
    TRY(const content::Reconstruction made, door.services.content.reconstruction(hash, {}));
    files[name] = terms_of(made);
    add_fetches_v1(door, call, made, fetches);
  }
  return json_answer(json::object{{"files", std::move(files)}, {"fetch_info", std::move(fetches)}});
}

Result<net::Response> xet_head_file(const XetDoor& door, const Call& call) {
  TRY(const CasCaller who, cas_caller(door, call, CasScope::read));
  TRY(const auto hash, hash_in_path<content::FileHash>(call));
  TRY(const content::FileInfo file, readable_file(door, who, hash));
  net::Response response;
  response.content_length = file.size;
  return response;
}

Result<net::Response> xet_data(const XetDoor& door, const Call& call) {
  TRY(const net::Query words, door.data_addresses.check(call.request, door.services.clock.wall()));
  TRY(const auto xorb, hash_in_path<content::XorbHash>(call));
  TRY(const uint64_t first, number_in(words, "first"));
  TRY(const uint64_t last, number_in(words, "last"));
  TRY(std::shared_ptr<io::ReadFile> file, door.services.content.open_xorb(xorb));
  TRY(const uint64_t size, file->size());
  net::ByteRange wanted{first, last};
  if (const auto header = call.request.headers.find("Range")) {
    TRY(const auto range, net::parse_range(*header, size));
    if (range) wanted = *range;
  }
  if (wanted.first < first || wanted.last > last || last >= size)
    return fail(Reason::forbidden, "This address is for other bytes");
  net::Response response;
  response.status = 206;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", wanted.first, wanted.last, size));
  response.headers.set("Cache-Control", "private, max-age=3600, immutable");
  response.body = net::FileSlice{std::move(file), wanted.first, wanted.length()};
  return response;
}

}  // namespace holdfast::api
