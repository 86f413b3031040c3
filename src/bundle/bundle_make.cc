// SPDX-License-Identifier: Apache-2.0
// Builds or checks a bundle without the front end and the command line: for tests of the layers below them.
//   bundle_make build WEIGHTS VOICES_DIR OUTPUT_DIR     bundle_make validate DIR
#include <cstdio>
#include <string>

#include "bundle/bundle.h"

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "build" && argc == 5) {
    koe::BundleBuildOptions options;
    options.weights_path = argv[2];
    options.voices_dir = argv[3];
    options.output_dir = argv[4];
    options.progress = [](double fraction, const std::string& what) {
      std::fprintf(stderr, "%3.0f %% %s\n", fraction * 100, what.c_str());
    };
    const auto built = koe::bundle::BuildBundle(options);
    if (!built) std::fprintf(stderr, "%s\n", built.error().message().c_str());
    return built ? 0 : 4;
  }
  if (verb == "validate" && argc == 3) {
    const auto report = koe::bundle::ValidateBundle(argv[2]);
    if (!report) std::fprintf(stderr, "%s\n", report.error().message().c_str());
    return report ? 0 : 4;
  }
  return 2;
}
