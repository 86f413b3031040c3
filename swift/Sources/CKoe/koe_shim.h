// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_SWIFT_KOE_SHIM_H_
#define KOE_SWIFT_KOE_SHIM_H_

#include "../../../include/koe/koe_c.h"

#endif  // KOE_SWIFT_KOE_SHIM_H_
