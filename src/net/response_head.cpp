#include "net/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace holdfast::net {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 424:
      return "Failed Dependency";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";  // The set is open: RFC 9112 lets a client ignore the phrase.
  }
}

constexpr std::array<std::string_view, 6> decided_here = {
    "Content-Length", "Transfer-Encoding", "Connection", "Date", "Server", "X-Request-Id"};

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_value_character(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._=;:-").find(c) != std::string_view::npos;
  });
}

}  // namespace

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

bool headers_are_writable(const Headers& headers) {
  return std::ranges::all_of(headers.fields(), [](const auto& field) {
    return !field.first.empty() && std::ranges::all_of(field.first, is_token_character) &&
           std::ranges::all_of(field.second, is_value_character);
  });
}

std::string write_response_head(const Response& response, const HeadFacts& facts) {
  std::string out;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nServer: holdfast\r\nDate: {}\r\n",
                 response.status, reason_phrase(response.status), facts.date);
  bool types_are_fixed = false;
  for (const auto& [name, value] : response.headers.fields()) {
    if (std::ranges::any_of(decided_here, [&](std::string_view ours) { return same_name(name, ours); }))
      continue;
    if (same_name(name, "X-Content-Type-Options")) types_are_fixed = true;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!types_are_fixed) out += "X-Content-Type-Options: nosniff\r\n";
  fmt::format_to(std::back_inserter(out), "X-Request-Id: {}\r\n", facts.trace_id);
  if (facts.framing == Framing::chunked) out += "Transfer-Encoding: chunked\r\n";
  if (facts.framing == Framing::length && facts.length)
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *facts.length);
  if (!facts.keep_alive)
    out += "Connection: close\r\n";
  else if (facts.version == 10)
    out += "Connection: keep-alive\r\n";
  return out += "\r\n";
}

bool asks_to_close(const Headers& headers) { return same_name(headers.get("Connection"), "close"); }

std::string_view offered_request_id(const Headers& headers) {
  for (const std::string_view name : {"X-Request-Id", "X-Amzn-Trace-Id"})
    if (const auto id = headers.get(name); is_request_id(id)) return id;
  return {};
}

std::string http_date(int64_t unix_seconds) {
  static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using namespace std::chrono;
  const sys_seconds when{seconds{unix_seconds}};
  const auto day = floor<std::chrono::days>(when);
  const year_month_day date{day};
  const hh_mm_ss time{when - day};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[weekday{day}.c_encoding()],
                     unsigned{date.day()}, months[unsigned{date.month()} - 1], int{date.year()},
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace holdfast::net
