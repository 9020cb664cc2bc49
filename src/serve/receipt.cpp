#include "serve/receipt.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "identity/checkpoint.h"

namespace holdfast::serve {
namespace {

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

// What the signature covers: each field with its length, so that none can run into the next.
std::string signed_text(const Receipt& receipt) {
  std::string out = fmt::format("holdfast receipt\n{}\n{}\n", version, format_time(receipt.at));
  for (const Field& field : fields)
    out += fmt::format("{} {} {}\n", field.name, (receipt.*field.text).size(), receipt.*field.text);
  return out + fmt::format("release {}\n", receipt.release);
}

}  // namespace

std::string body_digest(std::string_view body) { return codec::to_hex(codec::sha256(as_bytes(body))); }

std::string answer_digest(std::string_view body) {
  auto object = codec::parse_json_object(body);
  if (!object.ok()) return body_digest(body);
  for (const char* own : {"id", "created", "created_at"}) object.value().stable_erase(own);
  return body_digest(codec::to_text(object.value()));
}

std::string receipt_text(const Receipt& receipt) {
  boost::json::object out{{"holdfast_receipt", version}, {"at", format_time(receipt.at)}};
  for (const Field& field : fields) out[field.name] = receipt.*field.text;
  out["release"] = receipt.release;
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
  TRY(out.key, codec::json_text(object, "key"));
  TRY(out.signature, codec::json_text(object, "signature"));
  return out;
}

Receipt make_receipt(const ServedCall& call, std::string_view runtime, WallTime at,
                     const identity::CheckpointKey& key) {
  Receipt out{.request = call.id,
              .at = at,
              .door = call.door,
              .model = call.by.model.name,
              .revision = call.by.model.commit,
              .tokenizer = call.by.tokenizer,
              .deployment = call.by.deployment,
              .record = call.by.record,
              .release = call.by.release,
              .runtime = std::string(runtime),
              .input = body_digest(call.input),
              .output = body_digest(call.output),
              .answer = answer_digest(call.output),
              .key = key.public_key(),
              .signature = {}};
  out.signature = key.signature_of(signed_text(out));
  return out;
}

Status verify_receipt(const Receipt& receipt, std::string_view key) {
  if (!identity::verify_text(signed_text(receipt), receipt.signature, key).ok())
    return fail(Reason::data_corrupt, "the receipt was not signed by this key, or was changed since");
  return Done{};
}

}  // namespace holdfast::serve
