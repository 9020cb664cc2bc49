#pragma once

#include <pybind11/pybind11.h>

// The class NormalizedString of the Python module.
void bind_normalized_string(pybind11::module_& module);
