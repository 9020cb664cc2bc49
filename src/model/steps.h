#pragma once

#include <string_view>

#include "tensor/work_watch.h"

// What a forward pass consists of, in the words of `holdfast profile`; each product with what is fused to it
// and the norm before it.
namespace holdfast::model::step {

inline constexpr std::string_view embedding = "embedding";
inline constexpr std::string_view query_key_value = "query, key, value";
inline constexpr std::string_view attention = "attention";
inline constexpr std::string_view attention_out = "attention output, norm";  // With the sum.
inline constexpr std::string_view cross_attention = "cross-attention";
inline constexpr std::string_view state = "state";
inline constexpr std::string_view inner = "inner, activation";
inline constexpr std::string_view out = "output, norm";  // With the sum.
inline constexpr std::string_view experts = "experts";
inline constexpr std::string_view convolution = "convolution";
inline constexpr std::string_view whole_layer = "whole layer";  // Of a family with layers of its own.
inline constexpr std::string_view final_norm = "final norm";
inline constexpr std::string_view head = "head";

// Parts of a model that has several.
inline constexpr std::string_view encoder = "encoder";
inline constexpr std::string_view decoder = "decoder";
inline constexpr std::string_view image = "image";
inline constexpr std::string_view text = "text";

inline constexpr std::string_view all[] = {
    embedding, query_key_value, attention,   attention_out, cross_attention, state, inner,
    out,       experts,         convolution, whole_layer,   final_norm,      head};

}  // namespace holdfast::model::step
