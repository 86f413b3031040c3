// SPDX-License-Identifier: Apache-2.0
// Samples -> the bytes of an audio file (declared in koe/koe.h). The only file that includes libsndfile.
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "audio/ogg_serial.h"
#include "audio/pcm16.h"
#include "koe/koe.h"

namespace koe {
namespace {

constexpr size_t kBlockSamples = 4096;

// libsndfile's view of a growing file in memory. Callbacks are called from C: an allocation failure becomes a short
// write, and is told from others by out_of_memory.
struct MemoryFile {
  std::string bytes;
  size_t position = 0;
  bool out_of_memory = false;
};

SF_VIRTUAL_IO MemoryIo() {
  SF_VIRTUAL_IO io;
  io.get_filelen = [](void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size()); };
  io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
    auto& file = *static_cast<MemoryFile*>(user);
    const size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position : file.bytes.size();
    const sf_count_t target = static_cast<sf_count_t>(base) + offset;
    if (target < 0) return -1;
    file.position = static_cast<size_t>(target);
    return target;
  };
  io.read = [](void* dst, sf_count_t count, void* user) -> sf_count_t {
    auto& file = *static_cast<MemoryFile*>(user);
    const size_t start = std::min(file.position, file.bytes.size());
    const size_t n = std::min(static_cast<size_t>(count), file.bytes.size() - start);
    std::memcpy(dst, file.bytes.data() + start, n);
    file.position = start + n;
    return static_cast<sf_count_t>(n);
  };
  io.write = [](const void* src, sf_count_t count, void* user) -> sf_count_t {
    auto& file = *static_cast<MemoryFile*>(user);
    const size_t end = file.position + static_cast<size_t>(count);
    try {
      if (end > file.bytes.size()) file.bytes.resize(end);
    } catch (const std::exception&) {
      file.out_of_memory = true;
      return 0;
    }
    std::memcpy(file.bytes.data() + file.position, src, static_cast<size_t>(count));
    file.position = end;
    return count;
  };
  io.tell = [](void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->position); };
  return io;
}

// Levels are of libsndfile (0 best, 1 smallest): all three lossy codings take about 56 kbit/s and keep 21 dB or more on
// Kokoro's speech (libsndfile 1.2.0).
struct Coding {
  const char* name;
  int sndfile_format;
  bool is_pcm16;
  double compression_level;
};

Coding CodingOf(AudioFormat format) {
  switch (format) {
    case AudioFormat::kWav:
      return {"wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, true, 0};
    case AudioFormat::kFlac:
      return {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, true, 0};
    case AudioFormat::kMp3:
      return {"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, false, 0.4};
    case AudioFormat::kOgg:
      return {"ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, false, 0.5};
    case AudioFormat::kOpus:
      return {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, false, 0.8};
    case AudioFormat::kRaw:
      break;
  }
  return {"raw", 0, true, 0};
}

std::string EncodeRaw(std::span<const float> samples) {
  std::string bytes;
  bytes.reserve(2 * samples.size());
  for (const float x : samples) {
    const auto bits = static_cast<uint16_t>(Pcm16FromFloat(x));
    bytes.push_back(static_cast<char>(bits & 0xff));
    bytes.push_back(static_cast<char>(bits >> 8));
  }
  return bytes;
}

Error WriteError(const Coding& coding, const MemoryFile& file, const char* why) {
  if (file.out_of_memory) return Error(ErrorCode::kOutOfMemory, std::string("encoder: ") + coding.name + ": no memory");
  return Error(ErrorCode::kIo, std::string("encoder: ") + coding.name + ": " + why);
}

Result<std::string> EncodeWithSndfile(std::span<const float> samples, const Coding& coding) {
  SF_INFO info{};
  info.samplerate = kSampleRateHz;
  info.channels = 1;
  info.format = coding.sndfile_format;
  if (sf_format_check(&info) != SF_TRUE) {
    return Error(ErrorCode::kUnsupported, std::string("format: ") + coding.name + ": " + sf_version_string() +
                                              " was built without it (wav, flac and raw always work)");
  }
  MemoryFile file;
  SF_VIRTUAL_IO io = MemoryIo();
  SNDFILE* sound = sf_open_virtual(&io, SFM_WRITE, &info, &file);
  if (sound == nullptr) return WriteError(coding, file, sf_strerror(nullptr));
  double level = coding.compression_level;
  if (!coding.is_pcm16) sf_command(sound, SFC_SET_COMPRESSION_LEVEL, &level, sizeof(level));
  for (size_t first = 0; first < samples.size(); first += kBlockSamples) {
    const auto block = samples.subspan(first, std::min(kBlockSamples, samples.size() - first));
    const auto count = static_cast<sf_count_t>(block.size());
    sf_count_t written;
    if (coding.is_pcm16) {
      std::array<short, kBlockSamples> pcm;
      std::transform(block.begin(), block.end(), pcm.begin(), Pcm16FromFloat);
      written = sf_write_short(sound, pcm.data(), count);
    } else {
      // Lossy encoders would take more, but what they made of it clips in every decoder.
      std::array<float, kBlockSamples> clipped;
      std::transform(block.begin(), block.end(), clipped.begin(), [](float x) { return std::clamp(x, -1.0f, 1.0f); });
      written = sf_write_float(sound, clipped.data(), count);
    }
    if (written != count) {
      const Error error = WriteError(coding, file, sf_strerror(sound));
      sf_close(sound);
      return error;
    }
  }
  const int close_error = sf_close(sound);
  if (close_error != 0 || file.out_of_memory) return WriteError(coding, file, sf_error_number(close_error));
  return std::move(file.bytes);
}

}  // namespace

Result<std::string> EncodeAudio(std::span<const float> samples, AudioFormat format) {
  if (samples.empty()) return Error(ErrorCode::kInvalidArgument, "audio: no samples: there is nothing to write");
  if (const auto bad = FindNonFinite(samples)) {
    return Error(ErrorCode::kInvalidArgument, "audio: sample " + std::to_string(*bad) + ": not a finite number");
  }
  constexpr size_t kWavHeaderBytes = 44, kMaxWavBytes = 0xffffffff;  // sizes in the header have 32 bits
  if (format == AudioFormat::kWav && samples.size() > (kMaxWavBytes - kWavHeaderBytes) / 2) {
    return Error(ErrorCode::kTooLong, "audio: " + std::to_string(samples.size()) +
                                          " samples: a WAV file holds less than 4 GiB (24.8 hours); use flac or raw");
  }
  try {
    if (format == AudioFormat::kRaw) return EncodeRaw(samples);
    Result<std::string> bytes = EncodeWithSndfile(samples, CodingOf(format));
    if (bytes && (format == AudioFormat::kOgg || format == AudioFormat::kOpus)) MakeOggSerialReproducible(&*bytes);
    return bytes;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, "encoder: no memory for " + std::to_string(samples.size()) + " samples");
  }
}

}  // namespace koe
