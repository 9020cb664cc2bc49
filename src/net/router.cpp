#include "net/router.h"

#include <algorithm>
#include <map>

#include "codec/percent.h"

namespace holdfast::net {
namespace {

constexpr size_t segments_max = 128;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<std::string> decode(std::string_view raw) {
  TRY(std::string text, codec::percent_decode(raw));
  if (std::ranges::any_of(text, is_control))
    return fail(Reason::bad_request, "the path has a control character");
  return text;
}

// What a capture may hold: also after decoding nothing that walks a tree.
Result<std::string> decode_capture(std::string_view raw) {
  TRY(std::string text, decode(raw));
  std::string_view rest = text;
  while (!text.empty()) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty() || segment == "." || segment == "..")
      return fail(Reason::bad_request, "the path has an empty, `.` or `..` segment");
    if (segment.size() == rest.size()) break;
    rest.remove_prefix(segment.size() + 1);
  }
  return text;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // The slash.
    const std::string_view segment = path.substr(0, path.find('/'));
    segments.push_back(segment);
    path.remove_prefix(segment.size());
  }
  if (segments.size() == 1 && segments[0].empty()) segments.clear();  // "/"
  return segments;
}

// Of a pattern: literal when there are no braces, else text before and after one capture.
struct Segment {
  std::string before, name, after;
  bool is_capture = false, takes_rest = false;
};

Result<Segment> parse_segment(std::string_view text) {
  const size_t open = text.find('{'), close = text.find('}');
  if (open == std::string_view::npos && close == std::string_view::npos)
    return Segment{.before = std::string(text), .name = {}, .after = {}};
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2 ||
      text.find('{', open + 1) != std::string_view::npos ||
      text.find('}', close + 1) != std::string_view::npos)
    return fail(Reason::bad_request, "a pattern segment has at most one {capture}");
  Segment segment{.before = std::string(text.substr(0, open)),
                  .name = std::string(text.substr(open + 1, close - open - 1)),
                  .after = std::string(text.substr(close + 1)),
                  .is_capture = true};
  if (segment.name.ends_with('*')) {
    segment.name.pop_back();
    segment.takes_rest = true;
    if (!segment.before.empty() || !segment.after.empty() || segment.name.empty())
      return fail(Reason::bad_request, "{name*} stands alone in its segment");
  }
  return segment;
}

}  // namespace

// Children in the order in which they are tried: more literal first.
struct Router::Node {
  struct Mixed {
    std::string before, after;
    std::unique_ptr<Node> node;
  };
  struct Leaf {
    const Route* route;
    std::vector<std::string> names;  // Of the captures on the way, in order.
  };
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::vector<Mixed> mixed;  // Longer literals first.
  std::unique_ptr<Node> capture, rest;
  std::map<std::string, Leaf, std::less<>> leaves;  // By method.

  Node& child(const Segment& segment) {
    auto made = [](std::unique_ptr<Node>& node) -> Node& {
      if (!node) node = std::make_unique<Node>();
      return *node;
    };
    if (!segment.is_capture) return made(literals[segment.before]);
    if (segment.takes_rest) return made(rest);
    if (segment.before.empty() && segment.after.empty()) return made(capture);
    for (Mixed& known : mixed)
      if (known.before == segment.before && known.after == segment.after) return *known.node;
    const size_t length = segment.before.size() + segment.after.size();
    auto place = std::ranges::find_if(
        mixed, [&](const Mixed& known) { return known.before.size() + known.after.size() < length; });
    return *mixed.insert(place, Mixed{segment.before, segment.after, std::make_unique<Node>()})->node;
  }

  const Leaf* leaf(std::string_view method) const {
    auto found = leaves.find(method);
    if (found == leaves.end() && method == "HEAD") found = leaves.find("GET");
    return found == leaves.end() ? nullptr : &found->second;
  }
};

namespace {

// One walk down the tree. Each node is tried at one depth only, so the work is bounded by the patterns. A
// template because the node's type is private to the router.
template <class Node>
struct Walk {
  std::string_view method;
  const std::vector<std::string_view>& segments;
  std::vector<std::string_view> values;  // Raw, of the captures on the way.
  std::vector<std::string> methods;      // Of every node that fits the path.

  const typename Node::Leaf* at_end(const Node& node) {
    for (const auto& [name, leaf] : node.leaves) {
      methods.push_back(name);
      if (name == "GET") methods.push_back("HEAD");
    }
    return node.leaf(method);
  }

  const typename Node::Leaf* captured(const Node& node, std::string_view value, size_t next) {
    values.push_back(value);
    if (const auto* found = find(node, next)) return found;
    values.pop_back();
    return nullptr;
  }

  const typename Node::Leaf* find(const Node& node, size_t depth) {
    if (depth == segments.size()) {
      if (const auto* found = at_end(node)) return found;
    } else {
      const std::string_view segment = segments[depth];
      if (auto literal = node.literals.find(segment); literal != node.literals.end())
        if (const auto* found = find(*literal->second, depth + 1)) return found;
      for (const auto& mixed : node.mixed) {
        const size_t fixed = mixed.before.size() + mixed.after.size();
        if (segment.size() <= fixed || !segment.starts_with(mixed.before) || !segment.ends_with(mixed.after))
          continue;
        const std::string_view value = segment.substr(mixed.before.size(), segment.size() - fixed);
        if (const auto* found = captured(*mixed.node, value, depth + 1)) return found;
      }
      if (node.capture && !segment.empty())
        if (const auto* found = captured(*node.capture, segment, depth + 1)) return found;
    }
    if (!node.rest) return nullptr;
    std::string_view value;
    if (depth < segments.size())
      value = {segments[depth].data(),
               static_cast<size_t>(segments.back().data() + segments.back().size() - segments[depth].data())};
    values.push_back(value);
    if (const auto* found = at_end(*node.rest)) return found;
    values.pop_back();
    return nullptr;
  }
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Status Router::add(Route route) {
  if (!route.pattern.starts_with('/')) return fail(Reason::bad_request, "a pattern starts with a slash");
  Node* node = root_.get();
  std::vector<std::string> names;
  bool ended = false;
  for (const std::string_view text : split(route.pattern)) {
    if (ended) return fail(Reason::bad_request, "{name*} is the last segment: " + route.pattern);
    TRY(const Segment segment, parse_segment(text));
    node = &node->child(segment);
    if (segment.is_capture) names.push_back(segment.name);
    ended = segment.takes_rest;
  }
  if (node->leaves.contains(route.method))
    return fail(Reason::already_exists, route.method + " " + route.pattern + " is already routed");
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  node->leaves[routes_.back()->method] = {routes_.back().get(), std::move(names)};
  return Done{};
}

Result<Router::Match> Router::match(std::string_view method, std::string_view raw_path) const {
  if (!raw_path.starts_with('/')) return fail(Reason::bad_request, "the path starts with a slash");
  TRY([[maybe_unused]] const std::string well_formed, decode(raw_path));
  const auto segments = split(raw_path);
  if (segments.size() > segments_max) return fail(Reason::bad_request, "the path has too many segments");
  Walk<Node> walk{.method = method, .segments = segments, .values = {}, .methods = {}};
  const Node::Leaf* leaf = walk.find(*root_, 0);
  Match match;
  if (leaf == nullptr) {
    match.path_known = !walk.methods.empty();
    std::ranges::sort(walk.methods);
    const auto twice = std::ranges::unique(walk.methods);
    walk.methods.erase(twice.begin(), twice.end());
    for (const std::string& name : walk.methods) match.allowed += (match.allowed.empty() ? "" : ", ") + name;
    return match;
  }
  match.route = leaf->route;
  match.path_known = true;
  for (size_t i = 0; i < leaf->names.size(); ++i) {
    TRY(std::string value, decode_capture(walk.values[i]));
    match.captures.emplace_back(leaf->names[i], std::move(value));
  }
  return match;
}

std::vector<std::string> Router::reserved_names() const {
  std::vector<std::string> names;
  for (const auto& [literal, node] : root_->literals) names.push_back(literal);
  return names;
}

}  // namespace holdfast::net
