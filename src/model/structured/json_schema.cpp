#include "model/structured/json_schema.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>
#include <set>
#include <string>

#include "codec/json.h"
#include "model/structured/integer_range.h"
#include "model/structured/json_text.h"
#include "model/structured/regex_grammar.h"

namespace holdfast::model::structured {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr size_t depth_max = 64, properties_max = 1'000, choices_max = 1'000, count_max = 10'000;

// What speaks of a schema without binding its values.
constexpr std::array<std::string_view, 14> remarks = {
    "$schema", "$id",      "$comment",   "$defs",    "definitions", "title",   "description",
    "default", "examples", "deprecated", "readOnly", "writeOnly",   "$anchor", "strict"};

class Reader {
 public:
  explicit Reader(const value& root) : root_(root) {}

  Result<Grammar> read() {
    const RuleId start = builder_.reserve();
    TRY(Sequence body, schema(root_, "#", 0));
    builder_.define(start, {std::move(body)});
    return std::move(builder_).finish(start);
  }

 private:
  using Place = const std::string&;

  static Error wrong(Place place, std::string_view what) {
    return fail(Reason::bad_request, "JSON schema " + place + ": " + std::string(what));
  }

  // Every key is either one of `known` or a remark.
  static Status only(const object& from, std::initializer_list<std::string_view> known, Place place) {
    for (const auto& [key, entry] : from) {
      const std::string_view name = key;
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (std::find(remarks.begin(), remarks.end(), name) != remarks.end()) continue;
      return wrong(place + "/" + std::string(name), "this keyword is not supported here");
    }
    return Done{};
  }

  Result<Sequence> schema(const value& from, Place place, size_t depth) {
    if (depth > depth_max) return wrong(place, "nested too deeply");
    if (from.is_bool() && from.as_bool()) return builder_.named(text_.any_value());
    if (!from.is_object()) return wrong(place, "a schema is an object or true");
    const object& body = from.as_object();
    if (body.contains("$ref")) return reference(body, place, depth);
    if (body.contains("const")) {
      TRY_DONE(only(body, {"const", "type"}, place));
      return text_.value(body.at("const"));
    }
    if (body.contains("enum")) return enumeration(body, place);
    if (body.contains("anyOf")) return any_of(body, "anyOf", place, depth);
    if (body.contains("oneOf")) return any_of(body, "oneOf", place, depth);
    if (body.contains("allOf")) return all_of(body, place, depth);
    return typed(body, place, depth);
  }

  // One rule a target, made when it is first named: recursion is a rule that names itself.
  Result<Sequence> reference(const object& body, Place place, size_t depth) {
    TRY_DONE(only(body, {"$ref"}, place));
    TRY(const std::string_view name, codec::json_text(body, "$ref"));
    const std::string target(name);
    if (const auto known = targets_.find(target); known != targets_.end())
      return builder_.named(known->second);
    if (target != "#" && !target.starts_with("#/")) return wrong(place + "/$ref", "only # and #/… are known");
    const value* found = &root_;
    for (size_t at = 2; at <= target.size() && target.size() > 1;) {
      const size_t end = std::min(target.find('/', at), target.size());
      found = step(*found, target.substr(at, end - at));
      if (found == nullptr) return wrong(place + "/$ref", "nothing stands at " + target);
      at = end + 1;
    }
    if (targets_.size() >= properties_max) return wrong(place, "too many references");
    const RuleId rule = builder_.reserve();
    targets_.emplace(target, rule);
    TRY(Sequence inside, schema(*found, target, depth + 1));
    builder_.define(rule, {std::move(inside)});
    return builder_.named(rule);
  }

  static const value* step(const value& from, std::string key) {
    for (const auto& [escaped, plain] : {std::pair("~1", "/"), std::pair("~0", "~")})
      for (size_t at = key.find(escaped); at != std::string::npos; at = key.find(escaped, at + 1))
        key.replace(at, 2, plain);
    if (from.is_object()) return from.as_object().if_contains(key);
    if (!from.is_array()) return nullptr;
    size_t index = 0;
    const auto [end, wrong] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (key.empty() || wrong != std::errc() || end != key.data() + key.size()) return nullptr;
    return from.as_array().if_contains(index);
  }

  Result<Sequence> enumeration(const object& body, Place place) {
    TRY_DONE(only(body, {"enum", "type"}, place));
    TRY(const array* values, codec::json_array(body, "enum"));
    if (values->empty() || values->size() > choices_max) return wrong(place + "/enum", "1 to 1000 values");
    std::vector<Sequence> choices;
    for (const value& entry : *values) choices.push_back(text_.value(entry));
    return builder_.choice(std::move(choices));
  }

  Result<Sequence> any_of(const object& body, std::string_view key, Place place, size_t depth) {
    TRY_DONE(only(body, {key}, place));
    TRY(const array* schemas, codec::json_array(body, key));
    if (schemas->empty() || schemas->size() > choices_max) return wrong(place, "1 to 1000 schemas");
    std::vector<Sequence> choices;
    std::set<std::string> kinds;
    for (size_t i = 0; i < schemas->size(); ++i) {
      const std::string where = place + "/" + std::string(key) + "/" + std::to_string(i);
      // Exactly one of several can be promised only where no value fits two.
      if (key == "oneOf" && !kinds.insert(kind_of((*schemas)[i])).second)
        return wrong(where, "oneOf is known for schemas of different types or constants only; use anyOf");
      TRY(Sequence one, schema((*schemas)[i], where, depth + 1));
      choices.push_back(std::move(one));
    }
    if (key == "oneOf" && (kinds.contains("") || (kinds.contains("integer") && kinds.contains("number"))))
      return wrong(place + "/oneOf", "known for schemas of different types or constants only; use anyOf");
    return builder_.choice(std::move(choices));
  }

  // A word that is the same where two schemas could share a value; "" where we cannot tell.
  static std::string kind_of(const value& schema) {
    if (!schema.is_object()) return "";
    const object& body = schema.as_object();
    if (body.contains("const")) return "const " + codec::to_text(body.at("const"));
    if (body.contains("properties") && body.at("properties").is_object())
      for (const auto& [name, property] : body.at("properties").as_object())
        if (property.is_object() && property.as_object().contains("const") && required(body, name))
          return "object " + std::string(name) + codec::to_text(property.as_object().at("const"));
    if (!body.contains("type") || !body.at("type").is_string()) return "";
    return std::string(body.at("type").as_string());
  }

  static bool required(const object& body, std::string_view name) {
    const value* list = body.if_contains("required");
    if (list == nullptr || !list->is_array()) return false;
    return std::any_of(list->as_array().begin(), list->as_array().end(),
                       [&](const value& one) { return one.is_string() && one.as_string() == name; });
  }

  // One schema beside remarks, or objects whose parts are laid together.
  Result<Sequence> all_of(const object& body, Place place, size_t depth) {
    TRY(const array* schemas, codec::json_array(body, "allOf"));
    if (schemas->size() == 1) {
      TRY_DONE(only(body, {"allOf"}, place));
      return schema(schemas->front(), place + "/allOf/0", depth + 1);
    }
    return wrong(place + "/allOf", "known with a single schema only");
  }

  Result<Sequence> typed(const object& body, Place place, size_t depth) {
    const value* type = body.if_contains("type");
    if (type == nullptr) {
      TRY_DONE(infer(body, place));
      if (body.contains("properties") || body.contains("required") || body.contains("additionalProperties"))
        return of_type("object", body, place, depth);
      if (body.contains("items") || body.contains("prefixItems")) return of_type("array", body, place, depth);
      TRY_DONE(only(body, {}, place));
      return builder_.named(text_.any_value());
    }
    if (type->is_string()) return of_type(type->as_string(), body, place, depth);
    if (!type->is_array() || type->as_array().empty())
      return wrong(place + "/type", "a name or a list of names");
    std::vector<Sequence> choices;
    for (const value& one : type->as_array()) {
      if (!one.is_string()) return wrong(place + "/type", "a name or a list of names");
      object narrowed = relevant(body, one.as_string());
      TRY(Sequence choice, of_type(one.as_string(), narrowed, place, depth));
      choices.push_back(std::move(choice));
    }
    return builder_.choice(std::move(choices));
  }

  // Without a type a keyword binds values of its type only; we bind to the type as well, which JSON schema
  // does not ask for but every text of it satisfies.
  static Status infer(const object& body, Place place) {
    const bool as_object = body.contains("properties") || body.contains("required");
    const bool as_array = body.contains("items") || body.contains("prefixItems");
    if (as_object && as_array) return wrong(place, "say which type");
    return Done{};
  }

  // Of a schema with several types, the keywords that speak of one. Unknown ones stay, to be refused.
  static object relevant(const object& body, std::string_view type) {
    static const std::map<std::string_view, std::set<std::string_view>> words = {
        {"object", {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}},
        {"array", {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}},
        {"string", {"minLength", "maxLength", "pattern", "format"}},
        {"integer", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
        {"number", {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}}};
    object out = body;
    const auto mine = words.find(type);
    for (const auto& [other, keys] : words)
      for (const std::string_view key : keys)
        if (mine == words.end() || !mine->second.contains(key)) out.erase(key);
    return out;
  }

  Result<Sequence> of_type(std::string_view type, const object& body, Place place, size_t depth) {
    if (type == "object") return object_of(body, place, depth);
    if (type == "array") return array_of(body, place, depth);
    if (type == "string") return string_of(body, place);
    if (type == "integer") return integer_of(body, place);
    if (type != "number" && type != "boolean" && type != "null")
      return wrong(place + "/type", "there is no type " + std::string(type));
    TRY_DONE(only(body, {"type"}, place));
    if (type == "number") return builder_.named(text_.number());
    if (type == "null") return builder_.literal("null");
    return builder_.choice({builder_.literal("true"), builder_.literal("false")});
  }

  Result<std::optional<size_t>> count(const object& body, std::string_view key, Place place) {
    TRY(const auto given, codec::json_integer_if(body, key));
    if (!given) return std::optional<size_t>();
    if (*given < 0 || *given > static_cast<int64_t>(count_max))
      return wrong(place + "/" + std::string(key), "0 to " + std::to_string(count_max));
    return std::optional<size_t>(static_cast<size_t>(*given));
  }

  Result<Sequence> integer_of(const object& body, Place place) {
    TRY_DONE(only(body, {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, place));
    TRY(auto least, codec::json_integer_if(body, "minimum"));
    TRY(auto most, codec::json_integer_if(body, "maximum"));
    TRY(const auto above, codec::json_integer_if(body, "exclusiveMinimum"));
    TRY(const auto below, codec::json_integer_if(body, "exclusiveMaximum"));
    if (above && *above < INT64_MAX) least = std::max(least.value_or(INT64_MIN), *above + 1);
    if (below && *below > INT64_MIN) most = std::min(most.value_or(INT64_MAX), *below - 1);
    if (least && most && *least > *most) return wrong(place, "no number fits");
    return integer_range(builder_, least, most);
  }

  Result<Sequence> string_of(const object& body, Place place) {
    TRY_DONE(only(body, {"type", "minLength", "maxLength", "pattern", "format"}, place));
    TRY(const auto least, count(body, "minLength", place));
    TRY(const auto most, count(body, "maxLength", place));
    TRY(const auto pattern, codec::json_text_if(body, "pattern"));
    TRY(const auto format, codec::json_text_if(body, "format"));
    if ((pattern || format) && (least || most || (pattern && format)))
      return wrong(place, "pattern, format and lengths are known one at a time");
    if (least.value_or(0) > most.value_or(SIZE_MAX)) return wrong(place, "no length fits");
    if (pattern) return text_.matching(*pattern, Anchoring::anywhere);
    if (format) {
      const auto known = JsonText::format_pattern(*format);
      if (!known) return wrong(place + "/format", "the format " + std::string(*format) + " is not supported");
      return text_.matching(*known, Anchoring::whole);
    }
    return text_.string(least.value_or(0), most.value_or(GrammarBuilder::repeat_unbounded));
  }

  Result<Sequence> array_of(const object& body, Place place, size_t depth) {
    TRY_DONE(only(body, {"type", "items", "prefixItems", "minItems", "maxItems", "uniqueItems"}, place));
    TRY(const auto unique, codec::json_flag_if(body, "uniqueItems"));
    if (unique.value_or(false)) return wrong(place + "/uniqueItems", "not supported");
    TRY(const auto least_given, count(body, "minItems", place));
    TRY(const auto most_given, count(body, "maxItems", place));
    const size_t least = least_given.value_or(0);
    size_t most = most_given.value_or(GrammarBuilder::repeat_unbounded);
    if (least > most) return wrong(place, "no number of items fits");
    std::vector<Sequence> fixed;
    TRY(const array* prefix, codec::json_array_if(body, "prefixItems"));
    for (size_t i = 0; prefix != nullptr && i < prefix->size(); ++i) {
      TRY(Sequence one, schema((*prefix)[i], place + "/prefixItems/" + std::to_string(i), depth + 1));
      fixed.push_back(std::move(one));
    }
    std::optional<Sequence> item;
    const value* items = body.if_contains("items");
    if (items == nullptr) {
      item = builder_.named(text_.any_value());
    } else if (!(items->is_bool() && !items->as_bool())) {
      TRY(item, schema(*items, place + "/items", depth + 1));
    }
    if (!item) most = std::min(most, fixed.size());
    if (least > most) return wrong(place, "no number of items fits");
    return text_.array(fixed, item.value_or(Sequence()), least, most);
  }

  Result<Sequence> object_of(const object& body, Place place, size_t depth) {
    TRY_DONE(only(body, {"type", "properties", "required", "additionalProperties"}, place));
    TRY(const object* properties, codec::json_object_if(body, "properties"));
    TRY(const array* list, codec::json_array_if(body, "required"));
    std::set<std::string> needed;
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if (!(*list)[i].is_string()) return wrong(place + "/required", "a list of names");
      needed.emplace((*list)[i].as_string());
    }
    if ((properties != nullptr && properties->size() > properties_max) || needed.size() > properties_max)
      return wrong(place, "too many properties");
    std::vector<JsonText::Member> members;
    if (properties != nullptr)
      for (const auto& [name, property] : *properties) {
        TRY(Sequence inside, schema(property, place + "/properties/" + std::string(name), depth + 1));
        members.push_back(
            {.name = std::string(name), .value = std::move(inside), .required = needed.erase(name) > 0});
      }
    std::optional<Sequence> more;
    const value* additional = body.if_contains("additionalProperties");
    if (additional == nullptr) {
      // Open by JSON schema's own rule; a model is better kept to what is named, where anything is.
      if (members.empty()) more = builder_.named(text_.any_value());
    } else if (!(additional->is_bool() && !additional->as_bool())) {
      TRY(more, schema(*additional, place + "/additionalProperties", depth + 1));
    }
    const bool closed = additional != nullptr && additional->is_bool() && !additional->as_bool();
    if (closed && !needed.empty())
      return wrong(place + "/required", *needed.begin() + " is required, but not among the properties");
    for (const std::string& name : needed)
      members.push_back(
          {.name = name, .value = more.value_or(builder_.named(text_.any_value())), .required = true});
    return text_.object(members, more);
  }

  const value& root_;
  GrammarBuilder builder_;
  JsonText text_{builder_};
  std::map<std::string, RuleId> targets_;
};

}  // namespace

Result<Grammar> grammar_of_schema(const boost::json::value& schema) { return Reader(schema).read(); }

}  // namespace holdfast::model::structured
