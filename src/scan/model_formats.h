#pragma once

#include "scan/finding.h"
#include "scan/source.h"

namespace holdfast::scan {

// The header of safetensors: its length, shapes and places.
Status check_safetensors(Source& source, const Place& place, FileReport& report);

// GGUF (docs/formats/gguf.md): every length and place lies within the file, and its chat templates are
// checked as those of a tokenizer are.
Status check_gguf(Source& source, const Place& place, FileReport& report);

// ONNX: tensors kept in other files must be beside this one. Reads only the fields that lead there.
Status check_onnx(Source& source, const Place& place, FileReport& report);

// TensorFlow's SavedModel and frozen graphs: operations that read or write files or run Python.
Status check_tensorflow_graph(Source& source, const Place& place, FileReport& report);

// A Keras model's configuration, wherever it lies in the file: layers that hold Python code.
Status check_keras(Source& source, const Place& place, FileReport& report);

// config.json and its like: classes that are loaded from code in the repository.
void check_model_config(std::string_view text, const Place& place, FileReport& report);

}  // namespace holdfast::scan
