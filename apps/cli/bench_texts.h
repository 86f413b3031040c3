// SPDX-License-Identifier: Apache-2.0
// What koe bench reads.
#ifndef KOE_APPS_CLI_BENCH_TEXTS_H_
#define KOE_APPS_CLI_BENCH_TEXTS_H_

#include <cstddef>
#include <span>
#include <string>

namespace koe::cli {

// Paragraphs written for this purpose: narration, speech, news, figures, names, rare words; repeated to `bytes` or a
// little more.
std::string Prose(size_t bytes);

// A text made to be slow: `unit` over and over.
struct HostileText {
  const char* name;  // for people
  const char* unit;
};
std::span<const HostileText> HostileTexts();
std::string Repeat(const char* unit, size_t bytes);  // at most `bytes`, whole units

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_BENCH_TEXTS_H_
