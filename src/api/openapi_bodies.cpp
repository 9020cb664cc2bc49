#include "api/openapi_bodies.h"

#include <utility>

namespace holdfast::api {
namespace {

constexpr std::pair<std::string_view, std::string_view> bodies[] = {
    {"openai_chat", "Chat"},
    {"model_chat", "Chat"},
    {"inference_model_chat", "Chat"},
    {"openai_completions", "Completion"},
    {"model_completions", "Completion"},
    {"openai_embeddings", "Embeddings"},
    {"model_embeddings", "Embeddings"},
    {"tei_embeddings", "Embeddings"},
    {"task_vertex", "Instances"},
    {"openai_responses", "Responses"},
    {"model_responses", "Responses"},
    {"openai_input_tokens", "Responses"},
    {"model_input_tokens", "Responses"},
    {"openai_moderations", "Moderations"},
    {"model_moderations", "Moderations"},
    {"openai_batch_create", "Batch"},
    {"cohere_rerank", "Rerank"},
    {"cohere_rerank_v1", "Rerank"},
    {"cohere_rerank_v2", "Rerank"},
    {"cohere_own_rerank", "Rerank"},
    {"tgi_generate", "Generate"},
    {"tgi_generate_stream", "Generate"},
    {"tgi_chat_tokenize", "ChatTokenize"},
    {"tei_embed", "TextEmbed"},
    {"tei_embed_all", "TextEmbed"},
    {"tei_embed_sparse", "TextEmbed"},
    {"task_predict", "TextPredict"},
    {"tei_rerank", "TextRerank"},
    {"tei_similarity", "TextSimilarity"},
    {"tei_tokenize", "TextTokenize"},
    {"tei_decode", "TextDecode"},
    {"llama_completion", "LlamaCompletion"},
    {"llama_completions", "LlamaCompletion"},
    {"llama_chat", "Chat"},
    {"llama_detokenize", "Detokenize"},
    {"llama_apply_template", "ChatTokenize"},
    {"kserve_infer", "Infer"},
    {"kserve_own_infer", "Infer"},
};

constexpr std::string_view schemas = R"json({
"Message": {"type": "object", "required": ["role"], "properties": {
  "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
  "content": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {"type": "object", "required": ["type"],
    "properties": {"type": {"enum": ["text"]}, "text": {"type": "string"}}}}]},
  "name": {"type": "string"}, "tool_call_id": {"type": "string"}}},
"Tool": {"type": "object", "required": ["type", "function"], "properties": {"type": {"enum": ["function"]},
  "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "description": {"type": "string"},
    "parameters": {"type": "object"}, "strict": {"type": ["boolean", "null"]}}}}},
"Stop": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {"type": "string"}, "maxItems": 4}]},
"TokenIds": {"type": "array", "items": {"type": "integer", "minimum": 0}},
"Texts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
"TextsOrIds": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"$ref": "#/components/schemas/TokenIds"},
  {"type": "array", "items": {"$ref": "#/components/schemas/TokenIds"}}]},
"Chat": {"type": "object", "required": ["model", "messages"], "properties": {
  "model": {"type": "string"}, "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
  "temperature": {"type": "number", "minimum": 0, "maximum": 2}, "top_p": {"type": "number", "minimum": 0, "maximum": 1},
  "n": {"type": "integer", "minimum": 1, "maximum": 128}, "stop": {"$ref": "#/components/schemas/Stop"},
  "max_tokens": {"type": "integer", "minimum": 1}, "max_completion_tokens": {"type": "integer", "minimum": 1},
  "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2}, "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
  "logit_bias": {"type": "object", "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
  "logprobs": {"type": "boolean"}, "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20}, "seed": {"type": "integer"},
  "stream": {"type": "boolean"}, "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
  "response_format": {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object", "json_schema"]},
    "json_schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "schema": {"type": "object"}}}}},
  "tools": {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}},
  "tool_choice": {"anyOf": [{"enum": ["none", "auto", "required"]}, {"type": "object"}]}, "parallel_tool_calls": {"type": "boolean"},
  "user": {"type": "string"}}},
"Completion": {"type": "object", "required": ["model", "prompt"], "properties": {
  "model": {"type": "string"}, "prompt": {"$ref": "#/components/schemas/TextsOrIds"},
  "max_tokens": {"type": "integer", "minimum": 0}, "n": {"type": "integer", "minimum": 1, "maximum": 128},
  "best_of": {"type": "integer", "minimum": 1, "maximum": 20}, "echo": {"type": "boolean"},
  "logprobs": {"type": "integer", "minimum": 0, "maximum": 5}, "temperature": {"type": "number", "minimum": 0, "maximum": 2},
  "top_p": {"type": "number", "minimum": 0, "maximum": 1}, "stop": {"$ref": "#/components/schemas/Stop"}, "seed": {"type": "integer"},
  "stream": {"type": "boolean"}, "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}}}},
"Embeddings": {"type": "object", "required": ["model", "input"], "properties": {
  "model": {"type": "string"}, "input": {"$ref": "#/components/schemas/TextsOrIds"}, "encoding_format": {"enum": ["float", "base64"]},
  "dimensions": {"type": "integer", "minimum": 1}, "user": {"type": "string"}}},
"Responses": {"type": "object", "required": ["model", "input"], "properties": {
  "model": {"type": "string"}, "input": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
  "instructions": {"type": ["string", "null"]}, "max_output_tokens": {"type": "integer", "minimum": 16}, "stream": {"type": "boolean"},
  "temperature": {"type": "number", "minimum": 0, "maximum": 2}, "top_p": {"type": "number", "minimum": 0, "maximum": 1},
  "text": {"type": "object"}, "tools": {"type": "array", "items": {"type": "object"}}, "metadata": {"type": "object"}}},
"Moderations": {"type": "object", "required": ["model", "input"], "properties": {
  "model": {"type": "string"}, "input": {"$ref": "#/components/schemas/Texts"}}},
"Batch": {"type": "object", "required": ["endpoint", "input_file_id", "completion_window"], "properties": {
  "endpoint": {"type": "string"}, "input_file_id": {"type": "string"}, "completion_window": {"enum": ["24h"]},
  "metadata": {"type": "object", "additionalProperties": {"type": "string"}}}},
"Rerank": {"type": "object", "required": ["model", "query", "documents"], "properties": {
  "model": {"type": "string"}, "query": {"type": "string"}, "top_n": {"type": "integer", "minimum": 1}, "return_documents": {"type": "boolean"},
  "documents": {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["text"],
    "properties": {"text": {"type": "string"}}}]}}}},
"Task": {"type": "object", "required": ["inputs"], "properties": {
  "inputs": {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "object"}]}, "parameters": {"type": "object"},
  "options": {"type": "object"}, "stream": {"type": "boolean"}}},
"Instances": {"type": "object", "required": ["instances"], "properties": {"instances": {"type": "array", "minItems": 1, "maxItems": 8},
  "parameters": {"type": "object"}}},
"Generate": {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "string"}, "parameters": {"type": "object", "properties": {
  "max_new_tokens": {"type": "integer", "minimum": 1}, "temperature": {"type": "number", "exclusiveMinimum": 0},
  "top_p": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "top_k": {"type": "integer", "minimum": 1},
  "typical_p": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "repetition_penalty": {"type": "number", "exclusiveMinimum": 0},
  "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2}, "do_sample": {"type": "boolean"}, "seed": {"type": "integer", "minimum": 0},
  "stop": {"type": "array", "items": {"type": "string"}, "maxItems": 4}, "truncate": {"type": "integer", "minimum": 1},
  "details": {"type": "boolean"}, "decoder_input_details": {"type": "boolean"}, "return_full_text": {"type": "boolean"},
  "top_n_tokens": {"type": "integer", "minimum": 0, "maximum": 5}, "grammar": {"type": "object", "required": ["type", "value"],
    "properties": {"type": {"enum": ["json", "regex"]}}}}}}},
"ChatTokenize": {"type": "object", "required": ["messages"], "properties": {
  "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}}}},
"TextEmbed": {"type": "object", "required": ["inputs"], "properties": {
  "inputs": {"$ref": "#/components/schemas/TextsOrIds"}, "truncate": {"type": ["boolean", "null"]},
  "truncation_direction": {"enum": ["Left", "Right", "left", "right"]}, "normalize": {"type": "boolean"},
  "prompt_name": {"type": ["string", "null"]}, "dimensions": {"type": ["integer", "null"], "minimum": 1}}},
"TextPredict": {"type": "object", "required": ["inputs"], "properties": {
  "inputs": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}}]},
  "raw_scores": {"type": "boolean"}, "truncate": {"type": ["boolean", "null"]}}},
"TextRerank": {"type": "object", "required": ["query", "texts"], "properties": {
  "query": {"type": "string"}, "texts": {"type": "array", "items": {"type": "string"}}, "raw_scores": {"type": "boolean"},
  "return_text": {"type": "boolean"}, "truncate": {"type": ["boolean", "null"]}}},
"TextSimilarity": {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "object",
  "required": ["source_sentence", "sentences"], "properties": {"source_sentence": {"type": "string"},
    "sentences": {"type": "array", "items": {"type": "string"}}}}, "parameters": {"type": "object"}}},
"TextTokenize": {"type": "object", "properties": {
  "inputs": {"$ref": "#/components/schemas/Texts"}, "content": {"type": "string"}, "add_special_tokens": {"type": "boolean"},
  "add_special": {"type": "boolean"}, "with_pieces": {"type": "boolean"}}},
"TextDecode": {"type": "object", "required": ["ids"], "properties": {
  "ids": {"anyOf": [{"$ref": "#/components/schemas/TokenIds"}, {"type": "array", "items": {"$ref": "#/components/schemas/TokenIds"}}]},
  "skip_special_tokens": {"type": "boolean"}}},
"LlamaCompletion": {"type": "object", "required": ["prompt"], "properties": {
  "prompt": {"anyOf": [{"type": "string"}, {"type": "array"}]}, "n_predict": {"type": "integer", "minimum": -1},
  "temperature": {"type": "number", "minimum": 0}, "top_k": {"type": "integer", "minimum": 0}, "top_p": {"type": "number", "minimum": 0, "maximum": 1},
  "min_p": {"type": "number", "minimum": 0, "maximum": 1}, "stream": {"type": "boolean"}, "stop": {"type": "array", "items": {"type": "string"}},
  "seed": {"type": "integer"}, "n_probs": {"type": "integer", "minimum": 0}, "json_schema": {"type": "object"}}},
"Detokenize": {"type": "object", "required": ["tokens"], "properties": {"tokens": {"$ref": "#/components/schemas/TokenIds"}}},
"Infer": {"type": "object", "required": ["inputs"], "properties": {
  "id": {"type": "string"}, "parameters": {"type": "object"}, "outputs": {"type": "array", "items": {"type": "object", "required": ["name"],
    "properties": {"name": {"type": "string"}, "parameters": {"type": "object"}}}},
  "inputs": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["name", "datatype", "shape", "data"], "properties": {
    "name": {"type": "string"}, "datatype": {"type": "string"}, "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    "data": {"type": "array"}, "parameters": {"type": "object"}}}}}}
})json";

}  // namespace

std::string_view body_schema_of(std::string_view route_name) {
  for (const auto& [route, schema] : bodies)
    if (route == route_name) return schema;
  return route_name.starts_with("task_") ? "Task" : std::string_view();
}

std::string_view body_schemas() { return schemas; }

}  // namespace holdfast::api
