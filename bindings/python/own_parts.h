#pragma once

#include <pybind11/pybind11.h>

#include "token/tokenizer.h"

// Parts of a tokenizer that are functions of Python, each None or:
// normalizer(text: NormalizedString), which changes it in its place;
// pre_tokenizer(input: str, parts) -> parts, a part being a NormalizedString and None or its tokens, each an
// id, a text and a range of the part's bytes; decoder(tokens: list[str]) -> str. They take the interpreter's
// lock themselves, so that encoding may be on any thread without it.
holdfast::token::OwnParts own_parts(const pybind11::object& normalizer, const pybind11::object& pre_tokenizer,
                                    const pybind11::object& decoder);
