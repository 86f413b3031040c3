// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_API_LOAD_MODEL_H_
#define KOE_API_LOAD_MODEL_H_

#include <atomic>

#include "bundle/bundle.h"
#include "pipeline/plan.h"

namespace koe::api {

// The bundle's weights, made into stages with all of the pool's threads. With check_digest the file is hashed beside
// that, which takes one thread about as long as packing takes the others; a model of a file that turns out to be
// another than the manifest's is thrown away. (Reading the file bounds everything by itself: nothing is believed.)
// Errors: the file's first, then those of pipeline::LoadModel. cancelled: kCancelled within 100 ms.
Result<pipeline::Model> LoadModel(const bundle::Bundle& bundle, bool check_digest, const pipeline::Plan& plan,
                                  const kernels::KernelSet& kernels, ThreadPool& pool,
                                  const std::atomic<bool>* cancelled);

}  // namespace koe::api

#endif  // KOE_API_LOAD_MODEL_H_
