// SPDX-License-Identifier: Apache-2.0
// Measures parts of the engine by themselves, for `koe bench` and for whoever wants to know what a machine can do.
#ifndef KOE_BENCH_H_
#define KOE_BENCH_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "koe/engine.h"
#include "koe/result.h"

namespace koe {

// What turning one text into phonemes took. One thread does it; its steps are wall time.
struct FrontEndRun {
  double seconds = 0;        // wall
  double cpu_seconds = 0;    // processor time of the process: what counts where the processor is shared
  double clean_seconds = 0;  // encoding, controls, lines, markup
  double tokenise_seconds = 0;
  double tag_seconds = 0;
  double pronounce_seconds = 0;  // dictionaries, rules, numbers, unknown words, offsets
  size_t bytes = 0;              // of the text
  size_t words = 0;              // and marks, as Engine::Phonemize counts them
  size_t unknown_words = 0;
};

// The front end of one language as Engine uses it, opened by itself. Immutable; thread-safe.
class FrontEndBench {
 public:
  // kNotFound: no bundle there, or one without dictionaries; kCorruptBundle; kUnsupported. Digests are not compared.
  static Result<FrontEndBench> Open(const std::string& bundle_dir, Language language);
  FrontEndBench(FrontEndBench&&) noexcept;
  FrontEndBench& operator=(FrontEndBench&&) noexcept;
  ~FrontEndBench();

  // From the open bundle to a front end that is ready: mapping and checking its files.
  double open_seconds() const;
  // Phonemes are made part by part and thrown away, so memory does not follow the text, which may be of any size.
  // kInvalidArgument: not UTF-8; kCancelled.
  Result<FrontEndRun> Run(std::string_view text, const CancelToken* cancel = nullptr) const;

 private:
  struct Impl;
  explicit FrontEndBench(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What this library was made from and with, for the record beside a measurement.
struct BuildFacts {
  std::string version;   // "0.1.0"
  std::string commit;    // "12 hex digits", "... with changes", or "unknown" outside a git work tree
  std::string compiler;  // "g++ 12.2.0"
};
BuildFacts Build();

// Float32 operations a second that the processor's units can do on so many threads with the instructions of a SIMD
// target
// ("avx512"; "": the one that an engine would choose), two to a multiply-add; measured in about 0.1 s, the best of
// several runs. kUnsupported: the target; kInvalidArgument: threads outside 1..256.
Result<double> MeasurePeakFlops(const std::string& simd_target, int num_threads);

// Floating-point operations of the model as it is written: two for each multiply-add of its matrices, convolutions,
// LSTMs and attention, direct convolutions taken. What a faster algorithm saves is not taken off, so a rate made from
// it can exceed what the processor's units do.
struct StageWork {
  std::string stage;  // as in StageTime; stages without products are left out
  double flops = 0;
};
// Of one chunk of `num_tokens` (with both boundary tokens) that lasts `num_frames` duration frames.
std::vector<StageWork> NominalWork(size_t num_tokens, size_t num_frames);

}  // namespace koe

#endif  // KOE_BENCH_H_
