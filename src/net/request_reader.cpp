// The one file that includes Beast: it costs seconds to compile.
#include "net/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>

namespace holdfast::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastText = boost::beast::string_view;

std::string_view text(BeastText from) { return {from.data(), from.size()}; }

class Parser final : public http::basic_parser<true> {
 public:
  explicit Parser(size_t fields_max) : fields_max_(fields_max) {}

  RequestHead head;
  bool too_many = false;
  std::span<std::byte> into;  // Where body bytes go; shrinks as they come.

 private:
  void on_request_impl(http::verb, BeastText method, BeastText target, int version, error_code&) override {
    head.request.method = text(method);
    head.request.target = text(target);
    head.version = version;
  }
  void on_response_impl(int, BeastText, int, error_code&) override {}
  void on_field_impl(http::field, BeastText name, BeastText value, error_code& error) override {
    if (in_body_) return;  // The trailer.
    if (head.request.headers.fields().size() == fields_max_) {
      too_many = true;
      error = http::error::header_limit;
      return;
    }
    head.request.headers.add(std::string(text(name)), std::string(text(value)));
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(BeastText, error_code&) override { return 0; }
  void on_chunk_header_impl(uint64_t, BeastText, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, BeastText body, error_code& error) override {
    const size_t count = std::min(body.size(), into.size());
    std::memcpy(into.data(), body.data(), count);
    into = into.subspan(count);
    if (count == 0 && !body.empty()) error = http::error::need_buffer;
    return count;
  }
  void on_finish_impl(error_code&) override {}

  const size_t fields_max_;
  bool in_body_ = false;
};

Error bad(std::string message) { return fail(Reason::bad_request, std::move(message)); }

// Folded lines, and CR or LF that do not come together. Beast unfolds the former.
bool lines_are_plain(std::string_view head) {
  for (size_t at = 0; at < head.size(); ++at) {
    if (head[at] == '\r') {
      if (at + 1 == head.size() || head[at + 1] != '\n') return false;
      if (at + 2 < head.size() && (head[at + 2] == ' ' || head[at + 2] == '\t')) return false;
      ++at;
    } else if (head[at] == '\n' || head[at] == '\0') {
      return false;
    }
  }
  return true;
}

Status check_framing(RequestHead& head) {
  size_t lengths = 0, codings = 0, hosts = 0;
  Request& request = head.request;
  for (const auto& [name, value] : request.headers.fields()) {
    if (same_name(name, "Content-Length")) {
      ++lengths;
      uint64_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (value.empty() || error != std::errc() || end != value.data() + value.size())
        return bad("Content-Length is not a number");
      request.content_length = length;
    } else if (same_name(name, "Transfer-Encoding")) {
      ++codings;
      if (!same_name(value, "chunked")) return bad("the only transfer encoding here is chunked");
      head.chunked = true;
    } else if (same_name(name, "Host")) {
      ++hosts;
    } else if (same_name(name, "Expect")) {
      if (!same_name(value, "100-continue")) return bad("the only expectation here is 100-continue");
      head.expects_continue = head.version == 11;
    }
  }
  if (lengths > 1) return bad("Content-Length comes twice");
  if (codings > 1) return bad("Transfer-Encoding comes twice");
  if (lengths + codings > 1) return bad("Content-Length and Transfer-Encoding exclude each other");
  if (codings > 0 && head.version < 11) return bad("HTTP/1.0 has no transfer encoding");
  if (hosts > 1 || (hosts == 0 && head.version == 11)) return bad("one Host is needed");
  if (request.content_length == 0 || (!head.chunked && !request.content_length))
    head.expects_continue = false;
  return Done{};
}

// "http://host/path", as proxies send it, becomes "/path".
Status check_target(std::string& target) {
  if (!target.starts_with('/') && target != "*") {
    const size_t scheme = target.find("://");
    if (scheme == std::string::npos) return bad("the target is not a path");
    const size_t path = target.find('/', scheme + 3);
    target = path == std::string::npos ? "/" : target.substr(path);
  }
  if (target.find('#') != std::string::npos) return bad("the target has a fragment");
  return Done{};
}

class BeastChunkedReader final : public ChunkedReader {
 public:
  BeastChunkedReader() : parser_(1) {
    // Beast reads chunks only behind a head; this is one.
    static constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    error_code error;
    parser_.body_limit(boost::none);
    parser_.put(boost::asio::const_buffer(head.data(), head.size()), error);
    parser_.eager(true);
  }

  Result<Step> read(std::string_view bytes, std::span<std::byte> into) override {
    Step step;
    parser_.into = into;
    while (!parser_.is_done() && step.used < bytes.size()) {
      error_code error;
      const size_t used =
          parser_.put(boost::asio::const_buffer(bytes.data() + step.used, bytes.size() - step.used), error);
      step.used += used;
      if (error == http::error::need_more || error == http::error::need_buffer) break;
      if (error) return bad("the chunked body is malformed");
      if (used == 0) break;
    }
    step.written = into.size() - parser_.into.size();
    step.ended = parser_.is_done();
    return step;
  }

 private:
  Parser parser_;
};

}  // namespace

Result<RequestHead> parse_request_head(std::string_view head, size_t fields_max) {
  if (!lines_are_plain(head)) return bad("the request has a broken or folded line");
  Parser parser(fields_max);
  parser.header_limit(static_cast<uint32_t>(std::min<size_t>(head.size() + 1, UINT32_MAX)));
  parser.body_limit(boost::none);
  error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (parser.too_many) return fail(Reason::header_too_large, "the request has too many header fields");
  if (!error && !parser.is_header_done()) error = http::error::partial_message;
  if (error && error != http::error::need_more) return bad("the request is malformed");
  if (!parser.is_header_done()) return bad("the request is malformed");
  RequestHead out = std::move(parser.head);
  out.keep_alive = parser.keep_alive();
  TRY_DONE(check_framing(out));
  TRY_DONE(check_target(out.request.target));
  return out;
}

std::unique_ptr<ChunkedReader> make_chunked_reader() { return std::make_unique<BeastChunkedReader>(); }

}  // namespace holdfast::net
