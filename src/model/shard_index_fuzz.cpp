// model.safetensors.index.json beside one shard: opened or refused, and nothing outside the folder is
// touched.
#include <cstddef>
#include <cstdint>

#include "codec/safetensors.h"
#include "tensor/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  if (size > 1 << 16) return 0;
  const auto disk = io::make_memory_disk();
  const float numbers[] = {1, 2};
  const codec::SafetensorsTensor tensors[] = {
      {"a", codec::Dtype::f32, {2}, std::as_bytes(std::span(numbers))}};
  const auto shard = codec::write_safetensors(tensors);
  if (!shard.ok()) return 0;
  (void)io::publish_text(*disk, "shard.safetensors", as_text(shard.value()));
  (void)io::publish_text(*disk, "model.safetensors.index.json", {reinterpret_cast<const char*>(data), size});
  const auto weights = tensor::Weights::open(*disk, "");
  if (weights.ok())
    for (const std::string& name : weights.value().names())
      (void)tensor::to_floats(*weights.value().find(name));
  return 0;
}
