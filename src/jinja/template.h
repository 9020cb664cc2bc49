#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jinja/budget.h"
#include "jinja/value.h"

namespace holdfast::jinja {

inline constexpr size_t template_bytes_max = 4 << 20;

// JSON as Python's json.loads gives it: objects keep the order of their keys. Nesting beyond nesting_max is
// an error.
Result<Value> from_json(const boost::json::value& json);

// A parsed template of jinja2's language, as transformers sets it up for chat templates: the immutable
// sandbox, trim_blocks, lstrip_blocks, loop controls, `generation` blocks, `tojson`, `raise_exception`,
// `strftime_now`. Immutable and safe from any thread. Reference: jinja2 3.1, transformers 5.23
// utils/chat_template_utils.py.
class Template {
 public:
  using Variables = std::vector<std::pair<std::string, Value>>;

  // Errors are bad_request and begin with "line N: ", here and in render.
  static Result<Template> parse(std::string_view source);

  // `now` is what strftime_now shows, its fields read as local time.
  Result<std::string> render(const Variables& variables, WallTime now, const RenderLimits& limits = {}) const;

 private:
  struct Tree;
  std::shared_ptr<const Tree> tree_;
};

}  // namespace holdfast::jinja
