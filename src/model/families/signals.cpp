#include "model/families/signals.h"

namespace holdfast::model {
namespace {

constexpr SignalFamily families[] = {
    {"audio-spectrogram-transformer", open_audio_spectrogram_transformer},
    {"beit", open_beit},
    {"clip", open_clip},
    {"clip_text_model", open_clip},
    {"clip_vision_model", open_clip},
    {"convnext", open_convnext},
    {"convnextv2", open_convnext},
    {"data2vec-audio", open_data2vec_audio},
    {"data2vec-vision", open_beit},
    {"deit", open_vit},
    {"detr", open_detr},
    {"dinov2", open_dinov2},
    {"dinov2_with_registers", open_dinov2},
    {"dinov3_vit", open_dinov2},
    {"hubert", open_hubert},
    {"regnet", open_regnet},
    {"resnet", open_resnet},
    {"siglip", open_clip},
    {"siglip_text_model", open_clip},
    {"siglip_vision_model", open_clip},
    {"swin", open_swin},
    {"unispeech", open_unispeech},
    {"unispeech-sat", open_unispeech_sat},
    {"vit", open_vit},
    {"vit_msn", open_vit},
    {"wav2vec2", open_wav2vec2},
    {"wavlm", open_wavlm},
    {"whisper", open_whisper},
    {"yolos", open_yolos},
};

}  // namespace

std::span<const SignalFamily> signal_families() { return families; }

const SignalFamily* find_signal_family(std::string_view model_type) {
  for (const SignalFamily& family : signal_families())
    if (family.model_type == model_type) return &family;
  return nullptr;
}

}  // namespace holdfast::model
