// SPDX-License-Identifier: Apache-2.0
// Audio files.
#ifndef KOE_AUDIO_FILE_H_
#define KOE_AUDIO_FILE_H_

#include <span>
#include <string>
#include <string_view>

#include "koe/result.h"

namespace koe {

// kOgg: Vorbis. kOpus: Opus in Ogg. kRaw: signed 16-bit little-endian samples, no header.
enum class AudioFormat { kWav, kFlac, kMp3, kOgg, kOpus, kRaw };
// By name ("wav", "flac", "mp3", "ogg", "opus", "raw", in any case) or by the ending of a file name. kInvalidArgument
// names all six.
Result<AudioFormat> ParseAudioFormat(std::string_view name);
Result<AudioFormat> AudioFormatOfPath(std::string_view path);

// Writes mono 24 kHz. WAV, FLAC and raw hold 16-bit samples, round(32768 x) clipped to what fits; nothing is
// normalised. The same samples give the same bytes. A file is written beside its final name and renamed into place (a
// symbolic link is followed; a pipe or device is written directly); on failure nothing is left. kInvalidArgument for
// samples that are not finite or for none, kUnsupported for a format this build of libsndfile lacks, kTooLong for a WAV
// file of 4 GiB, kIo otherwise.
Result<void> WriteAudio(std::span<const float> samples, const std::string& path, AudioFormat format);
// The same bytes in memory, for streams.
Result<std::string> EncodeAudio(std::span<const float> samples, AudioFormat format);

}  // namespace koe

#endif  // KOE_AUDIO_FILE_H_
