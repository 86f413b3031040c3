// SPDX-License-Identifier: Apache-2.0
// Streams. Every call that may wait gives the GIL away, so one thread may push while another pulls.
#include "binding.h"

namespace koe::python {
namespace {

struct PyStream {
  PyStream(Stream opened, Token given) : stream(std::move(opened)), user(std::move(given)) {}
  Stream stream;
  Token user;
};

// (samples, words, info, first_sample, is_last)
py::object NextOf(PyStream& self) {
  auto next = RunInterruptibly(
      self.user, [&]() { return self.stream.Next(); }, [&]() { self.stream.Cancel(); });
  std::optional<AudioChunk> chunk = ValueOf(std::move(next));
  if (!chunk) return py::none();
  return py::make_tuple(ArrayOf(std::move(chunk->samples)), std::move(chunk->plan.words), std::move(chunk->plan.info),
                        chunk->first_sample, chunk->is_last);
}

// (words, info) of the chunk that comes next
py::object PeekOf(PyStream& self) {
  auto peeked = RunInterruptibly(
      self.user, [&]() { return self.stream.Peek(); }, [&]() { self.stream.Cancel(); });
  std::optional<ChunkPlan> plan = ValueOf(std::move(peeked));
  if (!plan) return py::none();
  return py::make_tuple(std::move(plan->words), std::move(plan->info));
}

}  // namespace

void DefineStream(py::module_& module) {
  py::class_<PyStream, std::shared_ptr<PyStream>>(module, "Stream")
      .def("next", &NextOf)
      .def("peek", &PeekOf)
      .def("push",
           [](PyStream& self, const std::string& text) {
             const py::gil_scoped_release release;
             Check(self.stream.Push(text));
           })
      .def("finish",
           [](PyStream& self) {
             const py::gil_scoped_release release;
             Check(self.stream.Finish());
           })
      .def("cancel", [](PyStream& self) { self.stream.Cancel(); })
      .def("sentences", [](const PyStream& self) { return self.stream.Sentences(); })
      .def("statistics", [](const PyStream& self) {
        const StreamStatistics statistics = self.stream.Statistics();
        py::dict values;
        values["num_chunks"] = statistics.num_chunks;
        values["num_samples"] = statistics.num_samples;
        values["first_audio_seconds"] = statistics.first_audio_seconds;
        values["wall_seconds"] = statistics.wall_seconds;
        values["unknown_words"] = statistics.unknown_words;
        return values;
      });
  module.def("open_stream", [](const Engine& engine, const std::optional<std::string>& text, const py::dict& arguments,
                               const Token& cancel, double max_seconds_ahead) {
    const SynthesisOptions options = ReadOptions(arguments);
    const StreamOptions ahead = {max_seconds_ahead};
    const py::gil_scoped_release release;
    return std::make_shared<PyStream>(
        ValueOf(text ? engine.OpenStream(*text, options, ahead) : engine.OpenStream(options, ahead)), cancel);
  });
}

}  // namespace koe::python
