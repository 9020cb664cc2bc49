#include "api/audio_form.h"

#include "codec/multipart.h"
#include "serve/task_text.h"

namespace holdfast::api {
namespace {

constexpr size_t field_bytes_max = 16 << 10;
constexpr std::string_view form_type = "multipart/form-data";

Result<std::vector<codec::Part>> parts_of(const net::Request& request) {
  codec::MultipartLimits limits;
  limits.part_bytes_max = serve::task_file_bytes_max;
  return codec::parse_multipart(request.headers.get("Content-Type"), as_bytes(request.body), limits);
}

}  // namespace

std::string_view AudioForm::field(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : std::string_view(found->second.back());
}

Result<AudioForm> read_audio_form(const net::Request& request) {
  if (!request.headers.get("Content-Type").starts_with(form_type))
    return fail(Reason::bad_request, "the sound is sent as multipart/form-data");
  TRY(const std::vector<codec::Part> parts, parts_of(request));
  AudioForm out;
  for (const codec::Part& part : parts) {
    if (part.head.name == "file") {
      out.file = as_text(part.content);
      continue;
    }
    if (part.content.size() > field_bytes_max)
      return fail(Reason::body_too_large, "a setting of the form is too long");
    out.fields[part.head.name].emplace_back(as_text(part.content));
  }
  if (out.file.empty()) return fail(Reason::bad_request, "'file' is missing or empty");
  return out;
}

std::string model_in_form(const net::Request& request) {
  if (!request.headers.get("Content-Type").starts_with(form_type)) return {};
  const auto parts = parts_of(request);
  if (!parts.ok()) return {};
  for (const codec::Part& part : parts.value())
    if (part.head.name == "model" && part.content.size() <= field_bytes_max)
      return std::string(as_text(part.content));
  return {};
}

}  // namespace holdfast::api
