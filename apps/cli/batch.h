// SPDX-License-Identifier: Apache-2.0
// koe batch's lines.
#ifndef KOE_APPS_CLI_BATCH_H_
#define KOE_APPS_CLI_BATCH_H_

#include <optional>
#include <string>
#include <string_view>

#include "koe/koe.h"

namespace koe::cli {

// {"text": "...", "id": "intro", "voice": "af_heart", "speed": 1, "seed": 0, "language": "en-us", "gain": 1,
//  "phonemes": false}; all but text may be left out.
struct BatchLine {
  std::string text;
  std::string id;  // "": the line's number
  SynthesisOptions options;
};
// kInvalidArgument: no JSON object, no text, an unknown field, a value of the wrong type, an id that is no file name.
Result<BatchLine> ParseBatchLine(std::string_view line, const SynthesisOptions& defaults);

// What happened to a line: one line of the report.
struct BatchResult {
  size_t line = 0;
  std::string id;
  std::string output;  // a file name within the folder; "" where none is there
  std::string status;  // "ok", "kept" (it was there), "error"
  std::string key;     // digest-like word of what was spoken: the same input has the same
  double seconds = 0;  // of speech
  std::optional<Error> error;
};
std::string BatchResultJson(const BatchResult& result);
// The same read back: id and key of lines whose status is ok; nullopt for anything else.
std::optional<BatchResult> ParseBatchResult(std::string_view line);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_BATCH_H_
