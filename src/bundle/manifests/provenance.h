// SPDX-License-Identifier: Apache-2.0
// The fields of Provenance within a manifest's object: for the files beside this one only.
#ifndef KOE_BUNDLE_MANIFESTS_PROVENANCE_H_
#define KOE_BUNDLE_MANIFESTS_PROVENANCE_H_

#include "bundle/manifests/fields.h"
#include "bundle/manifests/runtime.h"

namespace koe::bundle {

void WriteProvenance(const Provenance& provenance, Json* object);
Result<Provenance> ReadProvenance(const Fields& fields);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_PROVENANCE_H_
