#include "serve/receipt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "identity/checkpoint.h"

namespace holdfast::serve {
namespace {

namespace json = boost::json;

constexpr int64_t version = 1;

struct Field {
  const char* name;
  std::string Receipt::* text;
};
constexpr std::array fields = {
    Field{"request", &Receipt::request},     Field{"door", &Receipt::door},
    Field{"model", &Receipt::model},         Field{"revision", &Receipt::revision},
    Field{"tokenizer", &Receipt::tokenizer}, Field{"deployment", &Receipt::deployment},
    Field{"record", &Receipt::record},       Field{"runtime", &Receipt::runtime},
    Field{"input", &Receipt::input},         Field{"output", &Receipt::output},
    Field{"answer", &Receipt::answer}};

constexpr std::string_view data_line = "data:", comment = ": holdfast-receipt ";

// What is an answer's own, and no part of what the model says.
void drop_own(json::value& value);
void drop_own(json::object& object) {
  for (const char* own : {"created", "created_at"}) object.stable_erase(own);
  for (const char* own : {"id", "item_id", "call_id"})
    if (const json::value* said = object.if_contains(own); said != nullptr && said->is_string())
      object.stable_erase(own);
  for (auto& [key, value] : object) drop_own(value);
}
// Parsed text: its depth is bounded.
void drop_own(json::value& value) {
  if (value.is_object()) return drop_own(value.get_object());
  if (value.is_array())
    for (json::value& one : value.get_array()) drop_own(one);
}

// What the signature covers: each field with its length, so that none can run into the next.
std::string signed_text(const Receipt& receipt) {
  std::string out = fmt::format("holdfast receipt\n{}\n{}\n", version, format_time(receipt.at));
  for (const Field& field : fields)
    out += fmt::format("{} {} {}\n", field.name, (receipt.*field.text).size(), receipt.*field.text);
  out += fmt::format("release {}\n", receipt.release);
  // Of adapters alone, so that receipts from before there were any are still true.
  if (!receipt.base.empty()) out += fmt::format("base {} {}\n", receipt.base.size(), receipt.base);
  return out;
}

}  // namespace

std::string body_digest(std::string_view body) { return codec::to_hex(codec::sha256(as_bytes(body))); }

std::string answer_digest(std::string_view body) {
  if (auto object = codec::parse_json_object(body); object.ok()) {
    drop_own(object.value());
    return body_digest(codec::to_text(object.value()));
  }
  if (!body.starts_with(data_line) && !body.starts_with("event:")) return body_digest(body);
  codec::Sha256 digest;
  body = split_stream(body).output;
  while (!body.empty()) {
    const size_t end = std::min(body.find('\n'), body.size() - 1) + 1;
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end);
    auto object = line.starts_with(data_line) ? codec::parse_json_object(line.substr(data_line.size()))
                                              : Result<json::object>(Error{});
    if (object.ok()) drop_own(object.value());
    digest.update(object.ok() ? as_bytes(codec::to_text(object.value()) + "\n") : as_bytes(line));
  }
  return codec::to_hex(digest.finish());
}

std::string receipt_comment(const Receipt& receipt) {
  return fmt::format("{}{}\n\n", comment, receipt_header(receipt));
}

StreamParts split_stream(std::string_view body) {
  const size_t at = body.rfind(comment);
  if (at == std::string_view::npos || (at > 0 && body[at - 1] != '\n')) return {body, {}};
  std::string_view receipt = body.substr(at + comment.size());
  receipt = receipt.substr(0, receipt.find_first_of("\r\n"));
  return {body.substr(0, at), receipt};
}

std::string receipt_text(const Receipt& receipt) {
  boost::json::object out{{"holdfast_receipt", version}, {"at", format_time(receipt.at)}};
  for (const Field& field : fields) out[field.name] = receipt.*field.text;
  out["release"] = receipt.release;
  if (!receipt.base.empty()) out["base"] = receipt.base;
  out["key"] = receipt.key;
  out["signature"] = receipt.signature;
  return codec::to_text(out);
}

std::string receipt_header(const Receipt& receipt) {
  const std::string text = receipt_text(receipt);
  return codec::base64_encode(as_bytes(text));
}

Result<Receipt> parse_receipt(std::string_view text) {
  if (text.size() > receipt_bytes_max) return fail(Reason::bad_request, "a receipt is not that long");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  std::string decoded;
  if (!text.starts_with('{')) {
    TRY(const Bytes bytes, codec::base64_decode(text));
    decoded.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text = decoded;
  }
  TRY(const boost::json::object object, codec::parse_json_object(text));
  TRY(const int64_t said, codec::json_integer(object, "holdfast_receipt"));
  if (said != version) return fail(Reason::bad_request, "this is no receipt of a version that is known here");
  Receipt out;
  for (const Field& field : fields) {
    TRY(out.*field.text, codec::json_text(object, field.name));
  }
  TRY(const std::string_view at, codec::json_text(object, "at"));
  TRY(out.at, parse_time(at));
  TRY(out.release, codec::json_integer(object, "release"));
  TRY(const auto base, codec::json_text_if(object, "base"));
  out.base = base.value_or("");
  TRY(out.key, codec::json_text(object, "key"));
  TRY(out.signature, codec::json_text(object, "signature"));
  return out;
}

Receipt make_receipt(const ServedCall& call, std::string output_digest, std::string answer_digest,
                     std::string_view runtime, WallTime at, const identity::CheckpointKey& key) {
  Receipt out{.request = call.id,
              .at = at,
              .door = call.door,
              .model = call.by.model.name,
              .revision = call.by.model.commit,
              .base = call.by.base,
              .tokenizer = call.by.tokenizer,
              .deployment = call.by.deployment,
              .record = call.by.record,
              .release = call.by.release,
              .runtime = std::string(runtime),
              .input = body_digest(call.input),
              .output = std::move(output_digest),
              .answer = std::move(answer_digest),
              .key = key.public_key(),
              .signature = {}};
  out.signature = key.signature_of(signed_text(out));
  return out;
}

Receipt make_receipt(const ServedCall& call, std::string_view runtime, WallTime at,
                     const identity::CheckpointKey& key) {
  return make_receipt(call, body_digest(call.output), answer_digest(call.output), runtime, at, key);
}

Status verify_receipt(const Receipt& receipt, std::string_view key) {
  if (!identity::verify_text(signed_text(receipt), receipt.signature, key).ok())
    return fail(Reason::data_corrupt, "the receipt was not signed by this key, or was changed since");
  return Done{};
}

}  // namespace holdfast::serve
