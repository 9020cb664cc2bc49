#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "token/normalized_text.h"

// The class NormalizedString of the Python module.
void bind_normalized_string(pybind11::module_& module);

// An object of that class for a text on its way, whose input begins `shift` bytes before `input`; and the
// text of such an object, as a caller's function left it.
pybind11::object shown_text(const holdfast::token::NormalizedText& text,
                            std::shared_ptr<const std::string> input, uint32_t shift);
const holdfast::token::NormalizedText& text_shown(const pybind11::handle& shown);
