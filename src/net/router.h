#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/message.h"

namespace holdfast::net {

// Runs on the disk pool with the whole body at hand.
using Handler = std::function<Result<Response>(const Request&, const Context&)>;
// Runs on the disk pool once the head is read; the sink then takes the body. The request outlives the sink.
using SinkMaker = std::function<Result<std::unique_ptr<BodySink>>(const Request&, const Context&)>;

// A pattern is segments of the raw, still encoded path, each literal, {name} (one segment, decoded
// afterwards, so that refs%2Fpr%2F1 is one), a literal with a capture in it ({name}.git), or a last {name*}
// (the rest, slashes kept, may be empty). The most literal match wins, segment by segment. HEAD falls back to
// GET. A capture never holds control characters, `.`, `..` or empty segments, encoded or not.
struct Route {
  std::string method;
  std::string pattern;
  std::string name;  // Metric label and log field: "hub_tree". Never the path.
  // 0: a handler gets none (up to 64 KiB are read and dropped); a sink's own limit counts.
  uint64_t body_bytes_max = 0;
  std::variant<Handler, SinkMaker> handle;
};

// The routes of one port. Filled before the server starts, immutable afterwards; safe from any thread.
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // conflict when method and pattern are taken; invalid when the pattern is none.
  Status add(Route route);
  struct Match {
    const Route* route = nullptr;  // Null: no such path (404), or path_known (405).
    bool path_known = false;
    std::string allowed;  // Methods of a known path, for Allow: "GET, HEAD, PUT".
    std::vector<std::pair<std::string, std::string>> captures;
  };
  // bad_request when the path is not one, or a capture of it may not be.
  Result<Match> match(std::string_view method, std::string_view raw_path) const;
  std::span<const std::unique_ptr<Route>> routes() const { return routes_; }
  // Literal first segments: names that no user or organisation may have.
  std::vector<std::string> reserved_names() const;

 private:
  struct Node;  // One segment of the patterns, as a tree.
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace holdfast::net
