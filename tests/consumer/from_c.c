/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "koe/koe_c.h"

/* from_c BUNDLE OUT.wav */
int main(int argc, char** argv) {
  koe_error error;
  koe_engine* engine;
  koe_audio* audio = NULL;
  if (argc != 3) return 2;
  KOE_INIT(&error);
  if (koe_engine_open(argv[1], NULL, &engine, &error) == KOE_OK &&
      koe_synthesize(engine, "Hello.", KOE_NUL_TERMINATED, NULL, &audio, &error) == KOE_OK)
    koe_write_audio(koe_audio_samples(audio), koe_audio_num_samples(audio), argv[2], NULL, &error);
  if (error.code != KOE_OK) fprintf(stderr, "%s\n", error.message);
  koe_audio_free(audio);
  koe_engine_free(engine);
  return koe_status_exit_code(error.code);
}
