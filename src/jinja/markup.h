#pragma once

#include <string>
#include <string_view>

#include "jinja/methods.h"
#include "jinja/runtime.h"

namespace holdfast::jinja {

// markupsafe's Markup, which the filters safe and escape give: text that is taken for HTML, so that plain
// text which is put beside it by +, % or a method is escaped. Chat templates are rendered without autoescape:
// ~, for loops and most filters make plain text of it.
std::string html_escaped(std::string_view text);  // & < > " and '.

// A text as Markup; the texts in a list or tuple of texts likewise. Other values as they are.
Result<Value> as_markup(Value value);
// markupsafe.escape: Markup as it is, all else is escaped as str() gives it.
Result<Value> escaped(Runtime& runtime, const Value& value);
// str(value), of Markup the Markup itself: what most filters of text begin with.
Result<Value> soft_text(Runtime& runtime, const Value& value);
// left + right of texts of which one is Markup.
Result<Value> joined_markup(Runtime& runtime, const Value& left, const Value& right);
// The text without tags and comments, its white space collapsed, the entities that escaping makes read; plain
// text.
Result<Value> text_without_tags(Runtime& runtime, std::string_view text);
// The method `name` of a Markup: that of str with its other texts escaped, or one of Markup's own; nullptr
// for none.
Method find_markup_method(std::string_view name);

}  // namespace holdfast::jinja
