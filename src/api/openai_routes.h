#pragma once

#include "api/route.h"

namespace holdfast::serve {
class Models;
}

namespace holdfast::api {

// POST /v1/embeddings and GET /v1/models as the openai clients speak them (reference: serving, 1.1).
void add_openai_routes(RouteTable& table, Services& services, serve::Models& models);

// POST /v1/chat/completions and /v1/completions, streamed and whole.
void add_completion_routes(RouteTable& table, Services& services, serve::Models& models);

// POST /v1/responses, streamed and whole, and …/input_tokens.
void add_responses_routes(RouteTable& table, Services& services, serve::Models& models);

// POST /v1/moderations by a model that classifies texts.
void add_moderation_routes(RouteTable& table, Services& services, serve::Models& models);

// POST /v1/audio/transcriptions and /v1/audio/translations by a model that writes down speech.
void add_audio_routes(RouteTable& table, Services& services, serve::Models& models);

// POST /models/{ns}/{name} and …/pipeline/feature-extraction, also under /hf-inference: the task API.
void add_task_routes(RouteTable& table, Services& services, serve::Models& models);

}  // namespace holdfast::api
