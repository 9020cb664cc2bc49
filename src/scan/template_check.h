#pragma once

#include <string_view>

#include "scan/finding.h"

namespace holdfast::scan {

// What a chat template holds that no chat template needs: ways from a value to Python's own insides
// (attributes of two underscores, spelled out or put together), modules that run programs, and characters
// that a reader does not see. `place` names the template.
void check_template(std::string_view text, const Place& place, FileReport& report);

// The templates within a JSON file of a tokenizer or processor: `chat_template` as a text or a list of
// {name, template}, `chat_templates`.
void check_json_templates(std::string_view text, const Place& place, FileReport& report);

// Files whose whole text is a template, and JSON files that may hold some.
bool is_template_name(std::string_view name);
bool may_hold_templates(std::string_view name);

}  // namespace holdfast::scan
