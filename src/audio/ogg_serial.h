// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_AUDIO_OGG_SERIAL_H_
#define KOE_AUDIO_OGG_SERIAL_H_

#include <string>

namespace koe {

// Replaces the stream's serial number, which libsndfile draws at random, by a checksum of the rest, so that the same
// audio gives the same bytes, and renews the page checksums. Text that is not a whole sequence of Ogg pages is left as
// it is. Source: RFC 3533, section 6.
void MakeOggSerialReproducible(std::string* ogg);

}  // namespace koe

#endif  // KOE_AUDIO_OGG_SERIAL_H_
