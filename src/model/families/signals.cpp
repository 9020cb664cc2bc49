#include "model/families/signals.h"

namespace holdfast::model {
namespace {

constexpr SignalFamily families[] = {
    {"audio-spectrogram-transformer", open_audio_spectrogram_transformer},
    {"data2vec-audio", open_data2vec_audio},
    {"hubert", open_hubert},
    {"unispeech", open_unispeech},
    {"unispeech-sat", open_unispeech_sat},
    {"wav2vec2", open_wav2vec2},
    {"whisper", open_whisper},
};

}  // namespace

std::span<const SignalFamily> signal_families() { return families; }

const SignalFamily* find_signal_family(std::string_view model_type) {
  for (const SignalFamily& family : signal_families())
    if (family.model_type == model_type) return &family;
  return nullptr;
}

}  // namespace holdfast::model
