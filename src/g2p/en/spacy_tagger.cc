// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/spacy_tagger.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace koe::g2p::en {
namespace {

constexpr float kNormEpsilon = 1e-8F;  // thinc's LayerNorm
constexpr size_t kBlockRows = 64;      // scratch of a block (74 kB at width 96) stays in the second-level cache

// Far above any model of spaCy's; they keep products of sizes within 64 bits.
constexpr uint32_t kMaxWidth = 4096, kMaxPieces = 16, kMaxWindow = 8, kMaxDepth = 64, kMaxTags = 1024;
constexpr uint32_t kMaxRows = 1U << 24;

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "tagger: network: " + why); }

Result<std::vector<Tag>> ReadTags(const TaggerFile& file) {
  KOE_TRY(const std::span<const std::byte> bytes, file.Section("tags"));
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<Tag> tags;
  while (!text.empty() && tags.size() <= kMaxTags) {
    const size_t end = std::min(text.find('\n'), text.size());
    const auto tag = end == 0 ? std::nullopt : ParseTag(text.substr(0, end));
    if (!tag) return Corrupt("tag '" + std::string(text.substr(0, std::min<size_t>(end, 16))) + "' is not known");
    tags.push_back(*tag);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (tags.empty() || tags.size() > kMaxTags) return Corrupt("number of tags");
  return tags;
}

AlignedBuffer<float> Copy(std::span<const float> values) {
  AlignedBuffer<float> copy(values.size());
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

}  // namespace

Result<std::unique_ptr<SpacyTagger>> SpacyTagger::Open(const TaggerFile& file, const kernels::KernelSet& kernels) {
  KOE_TRY(const std::span<const uint32_t> shape, file.Array<uint32_t>("shape", 5));
  const auto in_range = [](uint32_t value, uint32_t max) { return value >= 1 && value <= max; };
  const uint32_t width = shape[0], pieces = shape[1], window = shape[2], depth = shape[3], attributes = shape[4];
  if (!in_range(width, kMaxWidth) || !in_range(pieces, kMaxPieces) || !in_range(window, kMaxWindow) ||
      !in_range(depth, kMaxDepth) || !in_range(attributes, kNumSpacyAttributes)) {
    return Corrupt("shape");
  }
  std::unique_ptr<SpacyTagger> tagger(new SpacyTagger(kernels));
  tagger->width_ = width;
  tagger->pieces_ = pieces;
  tagger->window_ = window;
  KOE_TRY(tagger->strings_, SpacyStrings::Open(file));
  KOE_TRY(tagger->tags_, ReadTags(file));

  KOE_TRY(const std::span<const uint32_t> columns, file.Array<uint32_t>("attributes", 3 * uint64_t{attributes}));
  uint64_t total_rows = 0;
  for (size_t i = 0; i < attributes; ++i) {
    if (columns[3 * i] >= kNumSpacyAttributes || !in_range(columns[3 * i + 1], kMaxRows)) return Corrupt("attributes");
    tagger->embeddings_.push_back({SpacyAttribute{columns[3 * i]}, columns[3 * i + 1], columns[3 * i + 2], {}});
    total_rows += columns[3 * i + 1];
  }
  KOE_TRY(std::span<const float> tables, file.Array<float>("embed", total_rows * width));
  for (Embedding& embedding : tagger->embeddings_) {
    embedding.table = tables.first(size_t{embedding.rows} * width);
    tables = tables.subspan(embedding.table.size());
  }

  // The layers' parameters, one after the other: weight [width][pieces][in], bias [width][pieces], gain and shift.
  const auto read_layers = [&](const std::string& name, size_t count, size_t in,
                               std::vector<Maxout>* out) -> Result<void> {
    KOE_TRY(std::span<const float> values, file.Array<float>(name, count * (width * pieces * (in + 1) + 2 * width)));
    const auto take = [&values](size_t size) {
      const std::span<const float> part = values.first(size);
      values = values.subspan(size);
      return part;
    };
    for (size_t i = 0; i < count; ++i) {
      const std::span<const float> weight = take(width * pieces * in), bias = take(size_t{width} * pieces);
      out->push_back(tagger->MakeMaxout(weight, bias, in));
      out->back().gain = take(width);
      out->back().shift = take(width);
    }
    return {};
  };
  std::vector<Maxout> mix;
  KOE_CHECK_OK(read_layers("mix", 1, size_t{attributes} * width, &mix));
  tagger->mix_ = std::move(mix[0]);
  KOE_CHECK_OK(read_layers("encode", depth, (2 * size_t{window} + 1) * width, &tagger->layers_));

  const size_t num_tags = tagger->tags_.size();
  KOE_TRY(const std::span<const float> output, file.Array<float>("output", num_tags * (size_t{width} + 1)));
  tagger->output_ = AlignedBuffer<float>(kernels::PackedSize(1, width, num_tags));
  kernels.gemm.pack(output.data(), 1, width, num_tags, 0, 1, width, tagger->output_.data());
  tagger->output_bias_ = Copy(output.subspan(num_tags * width));
  return tagger;
}

SpacyTagger::Maxout SpacyTagger::MakeMaxout(std::span<const float> weight, std::span<const float> bias,
                                            size_t in) const {
  Maxout layer;
  layer.in = in;
  layer.bias = AlignedBuffer<float>(bias.size());
  std::vector<float> by_piece(weight.size());
  for (size_t o = 0; o < width_; ++o) {
    for (size_t p = 0; p < pieces_; ++p) {
      const std::span<const float> row = weight.subspan((o * pieces_ + p) * in, in);
      std::copy(row.begin(), row.end(), by_piece.begin() + static_cast<ptrdiff_t>((p * width_ + o) * in));
      layer.bias[p * width_ + o] = bias[o * pieces_ + p];
    }
  }
  layer.packed = AlignedBuffer<float>(kernels::PackedSize(1, in, width_ * pieces_));
  kernels_.gemm.pack(by_piece.data(), 1, in, width_ * pieces_, 0, 1, in, layer.packed.data());
  return layer;
}

void SpacyTagger::RunMaxout(const Maxout& layer, const float* src, size_t src_stride, size_t rows, float* scratch,
                            float* dst) const {
  const size_t columns = width_ * pieces_;
  kernels::GemmArgs args;
  args.a = src;
  args.a_stride = src_stride;
  args.b = layer.packed.data();
  args.bias = layer.bias.data();
  args.c = scratch;
  args.c_stride = columns;
  args.m = rows;
  args.k = layer.in;
  args.n = columns;
  kernels_.gemm.gemm(args);
  for (size_t r = 0; r < rows; ++r) {
    float* best = scratch + r * columns;
    for (size_t p = 1; p < pieces_; ++p) {
      const float* piece = best + p * width_;
      for (size_t o = 0; o < width_; ++o) best[o] = std::max(best[o], piece[o]);
    }
  }
  kernels_.norm.layer_norm(scratch, columns, nullptr, 0, rows, width_, layer.gain.data(), layer.shift.data(),
                           kNormEpsilon, dst, width_);
}

std::vector<float> SpacyTagger::Encode(std::span<const Token> tokens) const {
  // spaCy surrounds a text with as many zero rows as the network can see, and they take part in the convolutions; the
  // rows beyond them are zero in every layer.
  const size_t padding = window_ * layers_.size();
  const size_t padded = tokens.size() + 2 * padding;
  std::vector<float> current((padded + 2 * window_) * width_), next(current.size());
  std::vector<float> scratch(kBlockRows * width_ * pieces_);
  const auto row_of = [&](std::vector<float>& rows, size_t i) { return rows.data() + (window_ + i) * width_; };

  const std::vector<uint64_t> norms = strings_.Norms(tokens);
  std::vector<float> embedded(kBlockRows * mix_.in);
  for (size_t first = 0; first < tokens.size(); first += kBlockRows) {
    const size_t count = std::min(kBlockRows, tokens.size() - first);
    std::fill(embedded.begin(), embedded.end(), 0.0F);
    float* part = embedded.data();
    for (size_t i = first; i < first + count; ++i) {
      for (const Embedding& embedding : embeddings_) {
        const uint64_t identifier = AttributeOf(embedding.attribute, tokens[i], norms[i], strings_);
        for (const uint32_t hash : HashIdentifier(identifier, embedding.seed)) {
          const float* row = embedding.table.data() + hash % embedding.rows * width_;
          for (size_t o = 0; o < width_; ++o) part[o] += row[o];
        }
        part += width_;
      }
    }
    RunMaxout(mix_, embedded.data(), mix_.in, count, scratch.data(), row_of(current, padding + first));
  }
  for (const Maxout& layer : layers_) {
    for (size_t first = 0; first < padded; first += kBlockRows) {
      const size_t count = std::min(kBlockRows, padded - first);
      const float* input = row_of(current, first);
      float* output = row_of(next, first);
      RunMaxout(layer, input - window_ * width_, width_, count, scratch.data(), output);
      for (size_t i = 0; i < count * width_; ++i) output[i] += input[i];
    }
    std::swap(current, next);
  }
  const float* begin = row_of(current, padding);
  return {begin, begin + tokens.size() * width_};
}

std::vector<float> SpacyTagger::Logits(std::span<const Token> tokens) const {
  std::vector<float> logits(tokens.size() * tags_.size());
  if (tokens.empty()) return logits;
  const std::vector<float> encoded = Encode(tokens);
  kernels::GemmArgs args;
  args.a = encoded.data();
  args.a_stride = width_;
  args.b = output_.data();
  args.bias = output_bias_.data();
  args.c = logits.data();
  args.c_stride = tags_.size();
  args.m = tokens.size();
  args.k = width_;
  args.n = tags_.size();
  kernels_.gemm.gemm(args);
  return logits;
}

void SpacyTagger::TagTokens(std::span<Token> tokens) const {
  const std::vector<float> logits = Logits(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto row = logits.begin() + static_cast<ptrdiff_t>(i * tags_.size());
    tokens[i].tag = tags_[static_cast<size_t>(std::max_element(row, row + static_cast<ptrdiff_t>(tags_.size())) - row)];
  }
}

}  // namespace koe::g2p::en
