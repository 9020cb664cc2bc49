// config.json of any family: refused or planned, whatever it holds.
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>

#include "codec/json.h"
#include "model/families/decoders.h"
#include "model/families/encoders.h"
#include "model/families/seq2seqs.h"
#include "model/families/signals.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  auto json = codec::parse_json_object({reinterpret_cast<const char*>(data), size}, {.bytes_max = 1 << 16});
  if (!json.ok()) return 0;
  (void)model::plan_encoder(json.value());
  (void)model::plan_decoder(json.value());
  (void)model::plan_seq2seq(json.value());
  // The same keys under each family's name.
  for (const model::EncoderFamily& family : model::encoder_families()) {
    json.value()["model_type"] = family.model_type;
    (void)model::plan_encoder(json.value());
  }
  for (const model::DecoderFamily& family : model::decoder_families()) {
    json.value()["model_type"] = family.model_type;
    (void)model::plan_decoder(json.value());
  }
  for (const model::Seq2SeqFamily& family : model::seq2seq_families()) {
    json.value()["model_type"] = family.model_type;
    (void)model::plan_seq2seq(json.value());
  }
  // These plan as they open, which ends with the first tensor that is missing.
  for (const model::SignalFamily& family : model::signal_families()) {
    json.value()["model_type"] = family.model_type;
    (void)family.open(json.value(), tensor::Weights::borrowed({}), {});
  }
  return 0;
}
