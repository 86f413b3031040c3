// SPDX-License-Identifier: Apache-2.0
// Dumps and goldens on disk: safetensors.
#ifndef KOE_API_DUMP_FILE_H_
#define KOE_API_DUMP_FILE_H_

#include <string>

#include "koe/result.h"
#include "pipeline/dump.h"

namespace koe::api {

// A golden's tensors, with token_ids, ref_s and speed taken out as the request. kNotFound, kIo, kCorruptBundle: not
// safetensors, a tensor that is neither F32 nor I32, or one of the three is missing or of another shape.
Result<pipeline::DumpRequest> ReadGolden(const std::string& path);

// Written beside its name and renamed; the same tensors give the same bytes. kIo.
Result<void> WriteTensors(const pipeline::TensorMap& tensors, const std::string& path);

}  // namespace koe::api

#endif  // KOE_API_DUMP_FILE_H_
