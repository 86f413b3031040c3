// SPDX-License-Identifier: Apache-2.0
#include "kernels/stft/stft.h"

#include <complex>

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

using Complex = std::complex<double>;
const double kPi = 3.14159265358979323846;

double Window(size_t n) { return 0.5 * (1 - std::cos(2 * kPi * static_cast<double>(n) / 20)); }

// The textbook: pad by reflection, window, sum over all samples, in double.
std::vector<Complex> ReferenceStft(const float* x, size_t num_samples) {
  std::vector<double> padded;
  for (size_t i = 10; i > 0; --i) padded.push_back(x[i]);
  padded.insert(padded.end(), x, x + num_samples);
  for (size_t i = 0; i < 10; ++i) padded.push_back(x[num_samples - 2 - i]);
  std::vector<Complex> spectrum;
  for (size_t begin = 0; begin + 20 <= padded.size(); begin += 5) {
    for (size_t k = 0; k <= 10; ++k) {
      Complex sum = 0;
      for (size_t n = 0; n < 20; ++n) {
        sum += padded[begin + n] * Window(n) * std::polar(1.0, -2 * kPi * static_cast<double>(k * n % 20) / 20);
      }
      spectrum.push_back(sum);
    }
  }
  return spectrum;
}

// torch.istft of the one-sided spectrum [frames][11]: imaginary parts of bins 0 and 10 do not count.
std::vector<double> ReferenceIstft(const std::vector<Complex>& spectrum) {
  const size_t frames = spectrum.size() / kStftBins;
  std::vector<double> sum(20 + 5 * (frames - 1)), envelope(sum.size());
  for (size_t t = 0; t < frames; ++t) {
    const Complex* bins = spectrum.data() + t * kStftBins;
    for (size_t n = 0; n < 20; ++n) {
      double x = bins[0].real() + (n % 2 == 0 ? 1 : -1) * bins[10].real();
      for (size_t k = 1; k < 10; ++k) {
        x += 2 * (bins[k] * std::polar(1.0, 2 * kPi * static_cast<double>(k * n % 20) / 20)).real();
      }
      sum[5 * t + n] += x / 20 * Window(n);
      envelope[5 * t + n] += Window(n) * Window(n);
    }
  }
  std::vector<double> y;
  for (size_t i = 10; i + 10 < sum.size(); ++i) y.push_back(sum[i] / envelope[i]);
  return y;
}

class StftTest : public PointwiseTest {
 protected:
  std::vector<float> Stft(const std::vector<float>& x, size_t stride = kStftChannels) {
    std::vector<float> y(StftFrames(x.size()) * stride);
    kernels().stft.stft(x.data(), x.size(), 0, StftFrames(x.size()), y.data(), stride);
    return y;
  }
  std::vector<float> Istft(const std::vector<float>& source) {
    const size_t frames = source.size() / kStftChannels;
    std::vector<float> y(5 * (frames - 1));
    kernels().stft.istft(source.data(), kStftChannels, frames, 0, y.size(), y.data());
    return y;
  }
};

TEST_P(StftTest, SpectrumAgainstTheTextbook) {
  for (const size_t num_samples : {15u, 20u, 25u, 40u, 155u, 160u, 165u, 1005u}) {
    const Source<float> x(Normal(rng_, num_samples, 0.1f, 1).data(), num_samples, num_samples % 4);
    const size_t frames = StftFrames(num_samples), stride = kStftChannels + num_samples % 3;
    Guarded y(frames * stride, num_samples % 3);
    kernels().stft.stft(x.data(), num_samples, 0, frames, y.data(), stride);
    ASSERT_TRUE(y.MarginsIntact());
    const std::vector<Complex> want = ReferenceStft(x.data(), num_samples);
    ASSERT_EQ(want.size(), frames * kStftBins);
    double largest = 0;
    for (size_t i = 0; i < num_samples; ++i) largest = std::max(largest, std::abs(static_cast<double>(x.data()[i])));
    for (size_t t = 0; t < frames; ++t) {
      for (size_t k = 0; k < kStftBins; ++k) {
        const float magnitude = y[t * stride + k], phase = y[t * stride + kStftBins + k];
        const Complex w = want[t * kStftBins + k];
        // 40 eps max|x| for X; the angle's 5e-7, the rounding of magnitude and angle come on top of the spectrum.
        const double bound = 40 * kEps * largest;
        ASSERT_LE(std::abs(std::polar<double>(magnitude, phase) - w), bound + 8e-7 * std::abs(w)) << t << " " << k;
        ASSERT_NEAR(magnitude, std::abs(w), bound + kEps * std::abs(w)) << t << " " << k;
        if (k == 0 || k == 10) {
          ASSERT_TRUE(SameBits(phase, w.real() < 0 ? 0x1.921fb6p1f : 0.0f)) << t << " " << k << " " << phase;
        }
      }
      for (size_t c = kStftChannels; c < stride; ++c) ASSERT_TRUE(y.Untouched(t * stride + c));
    }
  }
}

// One sinusoid at a bin's centre: magnitude 20/2 * 1/2 in its bin, half of that beside it.
TEST_P(StftTest, SinusoidHasItsBinAndPhase) {
  const size_t num_samples = 400;
  std::vector<float> x(num_samples);
  for (size_t i = 0; i < num_samples; ++i) x[i] = static_cast<float>(std::cos(2 * kPi * 3 * double(i) / 20 + 0.5));
  const std::vector<float> y = Stft(x);
  for (size_t t = 4; t + 4 < StftFrames(num_samples); ++t) {
    const float* row = y.data() + t * kStftChannels;
    EXPECT_NEAR(row[3], 5, 1e-5);
    EXPECT_NEAR(row[2], 2.5, 1e-5);
    EXPECT_NEAR(row[4], 2.5, 1e-5);
    EXPECT_NEAR(row[7], 0, 1e-5);
    const double phase = 0.5 + 2 * kPi * 3 * (5.0 * double(t) - 10) / 20;
    EXPECT_NEAR(std::remainder(row[kStftBins + 3] - phase, 2 * kPi), 0, 2e-6);
  }
}

TEST_P(StftTest, SilenceHasPhaseZero) {
  for (const float zero : {0.0f, -0.0f}) {
    for (const float v : Stft(std::vector<float>(100, zero))) EXPECT_TRUE(SameBits(v, 0.0f));
  }
}

TEST_P(StftTest, NanStaysInItsFrames) {
  std::vector<float> x = Normal(rng_, 200, 0, 1);
  x[100] = kNan;
  const std::vector<float> y = Stft(x);
  for (size_t t = 0; t < StftFrames(x.size()); ++t) {
    // Frame t covers samples 5t - 10 .. 5t + 9; its first has weight 0 but is folded in, or not, as the form likes.
    const bool covers = 5 * t <= 110 && 100 <= 5 * t + 9, at_edge = 5 * t == 110;
    for (size_t c = 0; c < kStftChannels; ++c) {
      const bool is_nan = std::isnan(y[t * kStftChannels + c]);
      EXPECT_TRUE(at_edge || is_nan == covers) << t << " " << c;
    }
  }
}

TEST_P(StftTest, AnyRangeOfFramesGivesTheSameBits) {
  const std::vector<float> x = Normal(rng_, 505, 0, 1);
  const std::vector<float> whole = Stft(x);
  const size_t frames = StftFrames(x.size());
  for (const size_t first : {0u, 1u, 2u, 3u, 40u, 97u, 100u, 101u, 102u}) {
    for (size_t count = 0; count <= std::min<size_t>(frames - first, 67); count += count < 4 ? 1 : 9) {
      Guarded part(count * kStftChannels);
      kernels().stft.stft(x.data(), x.size(), first, count, part.data(), kStftChannels);
      ASSERT_TRUE(part.MarginsIntact());
      for (size_t i = 0; i < count * kStftChannels; ++i) {
        ASSERT_TRUE(SameBits(part[i], whole[first * kStftChannels + i])) << first << " " << count << " " << i;
      }
    }
  }
}

TEST_P(StftTest, InverseAgainstTheTextbook) {
  for (const size_t frames : {1u, 2u, 3u, 4u, 5u, 31u, 32u, 33u, 64u, 200u}) {
    for (const float range : {3.0f, 100.0f}) {
      const size_t stride = kStftChannels + frames % 3;
      Source<float> source(frames * stride, frames % 4);
      std::vector<Complex> spectrum;
      double largest = 0;
      for (size_t t = 0; t < frames; ++t) {
        float* row = source.data() + t * stride;
        for (size_t k = 0; k < kStftBins; ++k) {
          row[k] = std::normal_distribution<float>(-1, 1.5)(rng_);
          row[kStftBins + k] = std::uniform_real_distribution<float>(-range, range)(rng_);
          const double magnitude = std::exp(static_cast<double>(row[k]));
          spectrum.push_back(std::polar(magnitude, std::sin(static_cast<double>(row[kStftBins + k]))));
          largest = std::max(largest, magnitude);
        }
      }
      const size_t num_samples = 5 * (frames - 1);
      Guarded y(num_samples, frames % 3);
      kernels().stft.istft(source.data(), stride, frames, 0, num_samples, y.data());
      ASSERT_TRUE(y.MarginsIntact());
      const std::vector<double> want = ReferenceIstft(spectrum);
      ASSERT_EQ(want.size(), num_samples);
      for (size_t i = 0; i < num_samples; ++i) ASSERT_NEAR(y[i], want[i], 60 * kEps * largest) << frames << " " << i;
    }
  }
}

TEST_P(StftTest, InverseOfAnyRangeGivesTheSameBits) {
  const size_t frames = 120;
  const std::vector<float> source = Normal(rng_, frames * kStftChannels, 0, 1);
  const std::vector<float> whole = Istft(source);
  for (const size_t first : {0u, 5u, 10u, 15u, 145u, 150u, 200u, 585u, 590u, 595u}) {
    for (size_t count = 0; count <= std::min<size_t>(whole.size() - first, 350); count += count < 20 ? 5 : 45) {
      Guarded part(count);
      kernels().stft.istft(source.data(), kStftChannels, frames, first, count, part.data());
      ASSERT_TRUE(part.MarginsIntact());
      for (size_t i = 0; i < count; ++i) ASSERT_TRUE(SameBits(part[i], whole[first + i])) << first << " " << count;
    }
  }
}

// The frames that the header says are read, and no others.
TEST_P(StftTest, InverseReadsOnlyItsFrames) {
  const size_t frames = 100, first = 200, count = 50;
  std::vector<float> source(frames * kStftChannels, kNan);
  std::fill(source.begin() + (first / 5 - 1) * kStftChannels,
            source.begin() + ((first + count) / 5 + 2) * kStftChannels, 0.5f);
  std::vector<float> y(count);
  kernels().stft.istft(source.data(), kStftChannels, frames, first, count, y.data());
  for (const float v : y) EXPECT_TRUE(std::isfinite(v));
}

// A phase of the inverse is sin(p), within one radian, so a spectrum X is given as the difference of X + 2|X| (whose
// phase is within pi/4) and 2|X|: the inverse is linear in the spectrum.
TEST_P(StftTest, RoundTripAboveHundredDecibels) {
  const std::vector<float> x = Normal(rng_, 4000, 0, 0.3f);
  const std::vector<float> spectrum = Stft(x);
  std::vector<float> shifted(spectrum.size()), offset(spectrum.size());
  for (size_t t = 0; t < StftFrames(x.size()); ++t) {
    for (size_t k = 0; k < kStftBins; ++k) {
      const size_t l = t * kStftChannels + k, p = l + kStftBins;
      const double magnitude = spectrum[l];
      const Complex z = std::polar(magnitude, static_cast<double>(spectrum[p])) + 2 * magnitude;
      shifted[l] = static_cast<float>(std::log(std::abs(z)));
      shifted[p] = static_cast<float>(std::asin(std::arg(z)));
      offset[l] = static_cast<float>(std::log(2 * magnitude));
      offset[p] = 0;
    }
  }
  const std::vector<float> a = Istft(shifted), b = Istft(offset);
  double signal = 0, noise = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = static_cast<double>(a[i]) - b[i] - x[i];
    signal += static_cast<double>(x[i]) * x[i];
    noise += error * error;
  }
  const double snr_db = 10 * std::log10(signal / noise);
  std::printf("stft -> istft: %.1f dB\n", snr_db);
  EXPECT_GT(snr_db, 100);
}

KOE_INSTANTIATE_TARGETS(StftTest);

}  // namespace
}  // namespace koe::kernels
