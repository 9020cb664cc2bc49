#include "jinja/template.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/utf8.h"
#include "jinja/globals.h"
#include "jinja/interpreter.h"
#include "jinja/parser.h"
#include "jinja/unset_names.h"

namespace holdfast::jinja {
namespace {

Error at_line(uint32_t line, const Error& error) {
  Error out = error;
  out.message = "line " + std::to_string(line == 0 ? 1 : line) + ": " + error.message;
  return out;
}

Result<Value> from_json_at(const boost::json::value& json, uint32_t depth) {
  if (depth > nesting_max) return fail(Reason::bad_request, "values are nested too deeply");
  switch (json.kind()) {
    case boost::json::kind::null:
      return Value();
    case boost::json::kind::bool_:
      return Value::boolean(json.get_bool());
    case boost::json::kind::int64:
      return Value::integer(json.get_int64());
    case boost::json::kind::uint64:
      return Value::integer(static_cast<Integer>(json.get_uint64()));
    case boost::json::kind::double_:
      return Value::real(json.get_double());
    case boost::json::kind::string:
      return Value::text(std::string(json.get_string()));
    case boost::json::kind::array: {
      Items items;
      items.reserve(json.get_array().size());
      for (const auto& one : json.get_array()) {
        TRY(Value item, from_json_at(one, depth + 1));
        items.push_back(std::move(item));
      }
      return Value::list(std::move(items));
    }
    case boost::json::kind::object: {
      std::vector<std::pair<Value, Value>> pairs;
      pairs.reserve(json.get_object().size());
      for (const auto& [key, one] : json.get_object()) {
        TRY(Value value, from_json_at(one, depth + 1));
        pairs.emplace_back(Value::text(std::string(key)), std::move(value));
      }
      return Value::dict(std::move(pairs));
    }
  }
  return Value();
}

}  // namespace

struct Template::Tree {
  Body body;
  std::vector<std::string> unset;
};

Result<Value> from_json(const boost::json::value& json) { return from_json_at(json, 0); }

Result<Template> Template::parse(std::string_view source) {
  if (source.size() > template_bytes_max)
    return fail(Reason::bad_request, "line 1: the template is too long");
  if (!is_utf8(source)) return fail(Reason::bad_request, "line 1: the template is not UTF-8");
  uint32_t line = 1;
  auto body = parse_template(source, line);
  if (!body.ok()) return at_line(line, body.error());
  auto tree = std::make_shared<Tree>();
  tree->body = std::move(body).value();
  tree->unset = mark_unset_names(tree->body);
  Template out;
  out.tree_ = std::move(tree);
  return out;
}

Result<std::string> Template::render(const Variables& variables, WallTime now,
                                     const RenderLimits& limits) const {
  Runtime runtime(limits, now);
  uint32_t line = 0;
  auto text = interpret(tree_->body, tree_->unset, variables, globals(), runtime, line);
  if (!text.ok()) return at_line(line, text.error());
  return text;
}

}  // namespace holdfast::jinja
