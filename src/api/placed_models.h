// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_API_PLACED_MODELS_H_
#define KOE_API_PLACED_MODELS_H_

#include <string>

#include "bundle/bundle.h"

namespace koe::api {

// Whether `koe export` wrote the models in that folder from this bundle, in the form that devices run: its
// ExportManifest.json says so. kNotFound: no such file; kCorruptBundle: it is none; kUnsupported: Core ML, float16, the
// card's contract; kInvalidArgument: other weights than the bundle's, which would speak with two voices; a model that
// the manifest does not list, so that nobody knows what it is of; kIo.
Result<void> CheckPlacedModels(const std::string& models_dir, const bundle::Bundle& bundle);

}  // namespace koe::api

#endif  // KOE_API_PLACED_MODELS_H_
