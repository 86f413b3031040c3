// SPDX-License-Identifier: Apache-2.0
// Stands for libasound.so.2: what is played is appended to $FAKE_ALSA_OUTPUT. $FAKE_ALSA_FAIL: "open", "params",
// "write" (for good), "underrun" (once, after the first piece), "drain". Takes at most 1,000 frames a call.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct snd_pcm {
  FILE* output;
  int pieces;
} snd_pcm_t;

static int fails(const char* at) {
  const char* wanted = getenv("FAKE_ALSA_FAIL");
  return wanted != NULL && strcmp(wanted, at) == 0;
}

int snd_pcm_open(snd_pcm_t** pcm, const char* name, int stream, int mode) {
  if (fails("open") || stream != 0 || mode != 0) return -ENOENT;
  *pcm = calloc(1, sizeof **pcm);
  (*pcm)->output = fopen(getenv("FAKE_ALSA_OUTPUT"), "wb");
  fprintf((*pcm)->output, "%s:", name);
  return 0;
}
int snd_pcm_set_params(snd_pcm_t* pcm, int format, int access, unsigned channels, unsigned rate, int resample,
                       unsigned us) {
  (void)pcm;
  if (fails("params") || format != 2 || access != 3 || channels != 1 || rate != 24000 || resample != 1) return -EINVAL;
  return us >= 100000 && us <= 500000 ? 0 : -EINVAL;
}
long snd_pcm_writei(snd_pcm_t* pcm, const void* samples, unsigned long frames) {
  if (fails("write")) return -ENODEV;
  if (fails("underrun") && pcm->pieces == 1) {
    pcm->pieces = 2;
    return -EPIPE;
  }
  ++pcm->pieces;
  if (frames > 1000) frames = 1000;
  return (long)fwrite(samples, 2, frames, pcm->output);
}
int snd_pcm_recover(snd_pcm_t* pcm, int error, int silent) {
  (void)pcm;
  return error == -EPIPE && silent == 1 ? 0 : error;
}
int snd_pcm_drain(snd_pcm_t* pcm) { return fails("drain") ? -EIO : fprintf(pcm->output, ":drained") > 0 ? 0 : -EIO; }
int snd_pcm_drop(snd_pcm_t* pcm) { return fprintf(pcm->output, ":dropped") > 0 ? 0 : -EIO; }
int snd_pcm_close(snd_pcm_t* pcm) {
  const int status = fclose(pcm->output);
  free(pcm);
  return status;
}
const char* snd_strerror(int error) { return strerror(-error); }
int snd_lib_error_set_handler(void (*handler)(const char*, int, const char*, int, const char*, ...)) {
  return handler == NULL ? -EINVAL : 0;
}
