#include "page/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "codec/gzip.h"
#include "page/assets.h"

namespace holdfast::page {
namespace {

using net::Response;

constexpr size_t asset_bytes_max = 16 << 20;

// Everything from this server, nothing inline, no frame around it: whatever text of a repository a page
// shows, it cannot run or call out.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr auto machine_paths =
    std::to_array<std::string_view>({"api", "cas", "lfs", "v1", "v2", "hf-inference", "endpoints", "metrics",
                                     "datasets-server", "healthz", "readyz", "static", ".well-known"});

bool is_unrouted(const Error& error) {
  return error.reason == Reason::method_not_allowed ||
         (error.code == Code::not_found && error.reason == Reason::none);
}

bool is_page_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  const std::string_view first = path.substr(0, path.find('/'));
  return std::ranges::find(machine_paths, first) == machine_paths.end() && !first.ends_with(".ico") &&
         !first.ends_with(".txt");
}

// The bytes, in the encoding that the client takes.
Result<Response> asset_answer(const net::Request& request, const Asset& asset) {
  Response response;
  const bool zipped =
      asset.gzipped && request.headers.get("Accept-Encoding").find("gzip") != std::string_view::npos;
  const std::string etag = fmt::format("\"{}{}\"", asset.etag, zipped ? "-gzip" : "");
  response.headers.set("Content-Type", std::string(asset.media_type));
  response.headers.set("ETag", etag);
  response.headers.set("Cache-Control", asset.hashed ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (asset.gzipped) response.headers.set("Vary", "Accept-Encoding");
  if (request.headers.get("If-None-Match").find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  std::string bytes(asset.bytes);
  if (zipped) {
    response.headers.set("Content-Encoding", "gzip");
  } else if (asset.gzipped) {
    TRY(const Bytes plain, codec::inflate(as_bytes(asset.bytes), codec::Deflate::gzip, asset_bytes_max));
    bytes = std::string(as_text(plain));
  }
  if (request.method == "HEAD")
    response.content_length = bytes.size();
  else
    response.body = std::move(bytes);
  return response;
}

}  // namespace

std::optional<Response> answer_browser(const net::Request& request, const Error& error) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (!is_unrouted(error) || !is_page_path(request.path())) return std::nullopt;
  if (request.headers.get("Accept").find("text/html") == std::string_view::npos) return std::nullopt;
  const Asset* document = find_asset("index.html");
  if (document == nullptr) return std::nullopt;
  auto answer = asset_answer(request, *document);
  if (!answer.ok()) return std::nullopt;
  Response response = std::move(answer).value();
  response.headers.set("Content-Security-Policy", std::string(content_security_policy));
  response.headers.set("Referrer-Policy", "same-origin");
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.set("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
  return response;
}

Status add_asset_routes(net::Router& router) {
  return router.add(
      {.method = "GET",
       .pattern = "/static/{path*}",
       .name = "page_asset",
       .handle = net::Handler([](const net::Request& request, const Context&) -> Result<Response> {
         const Asset* asset = find_asset(request.capture("path"));
         if (asset == nullptr) return fail(Code::not_found, "there is no such asset");
         return asset_answer(request, *asset);
       })});
}

}  // namespace holdfast::page
