#include "token/c_api.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>

#include "token/formats/folder.h"
#include "token/tokenizer.h"

using holdfast::Reason;
namespace token = holdfast::token;

struct holdfast_tokenizer {
  token::Tokenizer tokenizer;
};

namespace {

char* copied(std::string_view text) {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return out;
}

holdfast_status status_of(const holdfast::Error& error) {
  if (error.reason == Reason::model_unsupported) return HOLDFAST_UNSUPPORTED;
  if (error.reason == Reason::tokenization_failed || error.reason == Reason::input_too_long)
    return HOLDFAST_FAILED;
  if (error.code == holdfast::Code::not_found) return HOLDFAST_NOT_FOUND;
  return HOLDFAST_BAD_REQUEST;
}

holdfast_status refuse(const holdfast::Error& error, char** message) {
  if (message != nullptr) *message = copied(error.message);
  return status_of(error);
}

holdfast_status missing(char** message) {
  return refuse(holdfast::fail(Reason::bad_request, "an argument is NULL"), message);
}

void clear(char** message) {
  if (message != nullptr) *message = nullptr;
}

template <class T>
T* column(const std::vector<T>& items) {
  auto* out = static_cast<T*>(std::malloc(std::max<size_t>(1, items.size() * sizeof(T))));
  if (out != nullptr && !items.empty()) std::memcpy(out, items.data(), items.size() * sizeof(T));
  return out;
}

holdfast_status give(holdfast::Result<token::Tokenizer> made, holdfast_tokenizer** out, char** message) {
  if (!made.ok()) return refuse(made.error(), message);
  *out = new (std::nothrow) holdfast_tokenizer{std::move(made).value()};
  return *out == nullptr ? HOLDFAST_FAILED : HOLDFAST_OK;
}

holdfast::Result<token::Tokenizer> open_path(const char* path) {
  TRY(const auto disk, holdfast::io::open_posix_disk("/"));
  std::error_code ignored;
  const std::filesystem::path at =
      std::filesystem::absolute(path, ignored).lexically_normal().relative_path();
  TRY(const holdfast::io::Entry entry, disk->stat(at));
  TRY(token::LoadedTokenizer found,
      entry.is_directory ? token::load_from_folder(*disk, at) : token::load_from_file(*disk, at));
  return std::move(found.tokenizer);
}

}  // namespace

holdfast_status holdfast_tokenizer_load(const char* json, size_t bytes, holdfast_tokenizer** out,
                                        char** message) {
  clear(message);
  if (json == nullptr || out == nullptr) return missing(message);
  *out = nullptr;
  return give(token::Tokenizer::load({json, bytes}), out, message);
}

holdfast_status holdfast_tokenizer_open(const char* path, holdfast_tokenizer** out, char** message) {
  clear(message);
  if (path == nullptr || out == nullptr) return missing(message);
  *out = nullptr;
  return give(open_path(path), out, message);
}

void holdfast_tokenizer_free(holdfast_tokenizer* tokenizer) { delete tokenizer; }

holdfast_status holdfast_tokenizer_encode(const holdfast_tokenizer* tokenizer, const char* text, size_t bytes,
                                          int add_special, holdfast_encoding* out, char** message) {
  clear(message);
  if (tokenizer == nullptr || out == nullptr || (text == nullptr && bytes > 0)) return missing(message);
  *out = {};
  token::Input input;
  input.text = bytes == 0 ? std::string_view() : std::string_view(text, bytes);
  token::EncodeOptions options;
  if (add_special == 0) options.special = token::SpecialTokens::leave_out;
  const auto made = tokenizer->tokenizer.encode(input, options);
  if (!made.ok()) return refuse(made.error(), message);
  const token::Encoding& encoding = made.value();
  std::vector<uint32_t> begins, ends;
  for (const token::Span& span : encoding.offsets) {
    begins.push_back(span.begin);
    ends.push_back(span.end);
  }
  *out = {encoding.size(), column(encoding.ids),   column(encoding.type_ids), column(begins),
          column(ends),    column(encoding.words), column(encoding.mask),     column(encoding.special)};
  return HOLDFAST_OK;
}

void holdfast_encoding_free(holdfast_encoding* encoding) {
  if (encoding == nullptr) return;
  std::free(encoding->ids);
  std::free(encoding->type_ids);
  std::free(encoding->begins);
  std::free(encoding->ends);
  std::free(encoding->words);
  std::free(encoding->mask);
  std::free(encoding->special);
  *encoding = {};
}

holdfast_status holdfast_tokenizer_decode(const holdfast_tokenizer* tokenizer, const uint32_t* ids,
                                          size_t count, int skip_special, holdfast_text* out,
                                          char** message) {
  clear(message);
  if (tokenizer == nullptr || out == nullptr || (ids == nullptr && count > 0)) return missing(message);
  *out = {};
  using enum token::Tokenizer::SpecialsInOutput;
  const auto text = tokenizer->tokenizer.decode(std::span(ids, count), skip_special != 0 ? skip : keep);
  if (!text.ok()) return refuse(text.error(), message);
  *out = {copied(text.value()), text.value().size()};
  return HOLDFAST_OK;
}

void holdfast_text_free(holdfast_text* text) {
  if (text == nullptr) return;
  std::free(text->data);
  *text = {};
}

size_t holdfast_tokenizer_vocabulary_size(const holdfast_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->tokenizer.vocabulary_size();
}

int64_t holdfast_tokenizer_id_of(const holdfast_tokenizer* tokenizer, const char* token, size_t bytes) {
  if (tokenizer == nullptr || token == nullptr) return -1;
  const auto id = tokenizer->tokenizer.id_of({token, bytes});
  return id ? int64_t{*id} : -1;
}

void holdfast_message_free(char* message) { std::free(message); }
