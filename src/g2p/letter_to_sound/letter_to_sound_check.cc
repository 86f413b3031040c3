// SPDX-License-Identifier: Apache-2.0
// Measures letter-to-sound on words whose phonemes are known.
//
//   koe_letter_to_sound_check MODEL WORDS.tsv [--target avx2] [--show N] [--posteriors] [--print]
//       [--silver]             the model in the manner of the silver dictionary, not in the likelier one
//       [--dictionaries DIR]   the whole fallback with misaki's dictionaries from there, not the model alone
//       [--spell]              with --dictionaries: the fallback that has no model, for comparison
//
// WORDS.tsv has lines "us_gold TAB word TAB phonemes"; the first two letters of the first column are the accent. Prints
// the words that are right with and without stress, the phoneme error, a reliability table and the CPU time a word.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/edit_distance.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "g2p/en/phonemizer.h"
#include "g2p/letter_to_sound/neural_fallback.h"
#include "g2p/phonemes.h"

namespace {

using koe::g2p::letter_to_sound::Guess;
using koe::g2p::letter_to_sound::Manner;
using koe::g2p::letter_to_sound::Model;

struct Options {
  const char* model = nullptr;
  const char* words = nullptr;
  std::string target, dictionaries;
  size_t show = 0;
  bool posteriors = false, print = false, silver = false, spell = false;
};

struct Tally {
  size_t words = 0, with_stress = 0, without_stress = 0, edits = 0, phonemes = 0;
};

double Percent(size_t part, size_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(std::max<size_t>(whole, 1));
}

void Print(const std::string& name, const Tally& t) {
  std::printf("%-10s %6zu words  %6.2f %% right ignoring stress  %6.2f %% with stress  %5.2f %% phoneme error\n",
              name.c_str(), t.words, Percent(t.without_stress, t.words), Percent(t.with_stress, t.words),
              Percent(t.edits, t.phonemes));
}

// As the front end hands them to the voice.
std::string Final(std::string phonemes) {
  koe::g2p::ReplaceAll("\u027E", "T", &phonemes);
  koe::g2p::ReplaceAll("\u0294", "t", &phonemes);
  return phonemes;
}

// One byte a phoneme, for the edit distance; numbered as they come.
std::string OneByteEach(const std::string& phonemes) {
  static std::map<char32_t, char> numbers;
  std::string result;
  for (size_t position = 0; position < phonemes.size();) {
    const char32_t c = koe::DecodeUtf8(phonemes, &position).value_or(0);
    result += numbers.try_emplace(c, static_cast<char>(numbers.size())).first->second;
  }
  return result;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What is measured: the model alone, or a fallback per accent.
class Subject {
 public:
  koe::Result<void> Open(const Options& options) {
    KOE_TRY(const koe::kernels::Target target, koe::kernels::ParseTarget(options.target));
    KOE_TRY(const koe::MappedFile file, koe::MappedFile::Open(options.model));
    if (options.silver) manner_ = Manner::kSilver;
    KOE_TRY(model_, Model::Open(file.bytes(), koe::kernels::KernelsFor(target)));
    if (options.dictionaries.empty()) return {};
    for (size_t accent = 0; accent < 2; ++accent) {
      const std::string prefix = options.dictionaries + (accent == 0 ? "/us_" : "/gb_");
      KOE_TRY(lexicons_[accent],
              koe::g2p::CompileLexicon(ReadAll(prefix + "gold.json"), ReadAll(prefix + "silver.json")));
      const auto bytes = std::as_bytes(std::span(lexicons_[accent]));
      const auto language = accent == 0 ? koe::Language::kAmericanEnglish : koe::Language::kBritishEnglish;
      if (options.spell) {
        KOE_TRY(koe::g2p::Lexicon lexicon, koe::g2p::Lexicon::Open(bytes));
        pronouncers_[accent] = std::make_unique<koe::g2p::en::Pronouncer>(std::move(lexicon), language, false);
        fallbacks_[accent] = std::make_unique<koe::g2p::en::SpellingFallback>(pronouncers_[accent].get());
      } else {
        KOE_TRY(fallbacks_[accent], koe::g2p::MakeNeuralFallback(model_, bytes, language));
      }
    }
    return {};
  }

  Guess Say(const std::string& word, bool british) const {
    const koe::g2p::Fallback* fallback = fallbacks_[british ? 1 : 0].get();
    if (fallback == nullptr) {
      return model_->Pronounce(word, british ? koe::Language::kBritishEnglish : koe::Language::kAmericanEnglish,
                               manner_);
    }
    const auto spoken = fallback->Pronounce(word);
    return spoken ? Guess{spoken->phonemes, spoken->confidence, 0} : Guess{};
  }

 private:
  std::shared_ptr<const Model> model_;
  Manner manner_ = Manner::kLikelier;
  std::array<std::string, 2> lexicons_;
  std::array<std::unique_ptr<koe::g2p::en::Pronouncer>, 2> pronouncers_;
  std::array<std::unique_ptr<koe::g2p::Fallback>, 2> fallbacks_;
};

struct Bin {
  size_t words = 0, right = 0;
  double sum = 0;
};

void Measure(const Subject& subject, const Options& options) {
  std::ifstream words(options.words);
  std::map<std::string, Tally> tallies;
  std::array<Bin, 10> bins;
  double seconds = 0;
  size_t shown = 0;
  for (std::string line; std::getline(words, line);) {
    if (line.starts_with("# ")) continue;
    std::istringstream fields(line);
    std::string stream, word, want;
    std::getline(fields, stream, '\t');
    std::getline(fields, word, '\t');
    std::getline(fields, want, '\t');
    want = Final(want);
    const double start = CpuSeconds();
    const Guess guess = subject.Say(word, stream.starts_with("gb"));
    seconds += CpuSeconds() - start;
    const std::string got = Final(guess.phonemes);
    const std::string plain = koe::g2p::ApplyStress(got, -2), plain_want = koe::g2p::ApplyStress(want, -2);
    const bool is_right = got == want;
    const std::string got_bytes = OneByteEach(plain), want_bytes = OneByteEach(plain_want);
    for (const std::string& name : {stream, stream.substr(0, 2), std::string("all")}) {
      Tally& tally = tallies[name];
      ++tally.words;
      tally.with_stress += is_right ? 1 : 0;
      tally.without_stress += plain == plain_want ? 1 : 0;
      tally.edits += koe::EditDistance(got_bytes, want_bytes);
      tally.phonemes += want_bytes.size();
    }
    Bin& bin = bins[std::min<size_t>(9, static_cast<size_t>(guess.confidence * 10))];
    ++bin.words;
    bin.right += is_right ? 1 : 0;
    bin.sum += double{guess.confidence};
    if (options.print) std::printf("%s\t%s\t%s\n", stream.c_str(), word.c_str(), guess.phonemes.c_str());
    if (options.posteriors) std::printf("P\t%.7f\t%d\n", double{guess.posterior}, is_right ? 1 : 0);
    if (!is_right && shown < options.show) {
      ++shown;
      std::printf("%-10s %-20s %-24s %-24s %.2f\n", stream.c_str(), word.c_str(), want.c_str(), got.c_str(),
                  double{guess.confidence});
    }
  }
  if (options.print) return;
  for (const auto& [name, tally] : tallies) Print(name, tally);
  std::printf("confidence  stated   right   words\n");
  for (const Bin& bin : bins) {
    if (bin.words == 0) continue;
    const auto count = static_cast<double>(bin.words);
    std::printf("            %.3f    %.3f   %zu\n", bin.sum / count, static_cast<double>(bin.right) / count, bin.words);
  }
  std::printf("%.0f us of CPU time a word\n",
              seconds / static_cast<double>(std::max<size_t>(1, tallies["all"].words)) * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--posteriors") {
      options.posteriors = true;
    } else if (option == "--print") {
      options.print = true;
    } else if (option == "--silver") {
      options.silver = true;
    } else if (option == "--spell") {
      options.spell = true;
    } else if (option == "--target" && i + 1 < argc) {
      options.target = argv[++i];
    } else if (option == "--dictionaries" && i + 1 < argc) {
      options.dictionaries = argv[++i];
    } else if (option == "--show" && i + 1 < argc) {
      options.show = std::strtoul(argv[++i], nullptr, 10);
    } else {
      (options.model == nullptr ? options.model : options.words) = argv[i];
    }
  }
  if (options.words == nullptr) {
    std::fprintf(stderr,
                 "usage: koe_letter_to_sound_check MODEL WORDS.tsv [--target T] [--show N] [--posteriors] [--print] "
                 "[--silver | --dictionaries DIR [--spell]]\n");
    return 2;
  }
  Subject subject;
  if (const auto opened = subject.Open(options); !opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  Measure(subject, options);
  return 0;
}
