// SPDX-License-Identifier: Apache-2.0
// What the parts of koe._koe share: errors as exceptions, calls that Ctrl-C ends. The public face is koe/__init__.py.
#ifndef KOE_PYTHON_BINDING_H_
#define KOE_PYTHON_BINDING_H_

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "koe/koe.h"

namespace koe::python {

namespace py = pybind11;

// Becomes one of koe.errors.
struct Failure {
  Error error;
};

template <typename T>
T ValueOf(Result<T> result) {
  if (!result) throw Failure{result.error()};
  return std::move(*result);
}
inline void Check(const Result<void>& result) {
  if (!result) throw Failure{result.error()};
}

using Token = std::shared_ptr<CancelToken>;

// Runs work() on a thread of its own, without the GIL; this thread waits, runs Python's signal handlers every 20 ms
// and calls cancel() once where one raises (KeyboardInterrupt) or where *user is set. Needs the GIL.
template <typename Work, typename Cancel>
auto RunInterruptibly(const Token& user, Work&& work, Cancel&& cancel) -> decltype(work()) {
  std::optional<py::error_already_set> raised;
  auto result = [&]() {
    py::gil_scoped_release release;
    auto running = std::async(std::launch::async, std::forward<Work>(work));
    bool is_cancelled = false;
    while (running.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
      if (is_cancelled) continue;
      bool wants_end = user && user->IsCancelled();
      {
        py::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() != 0) {
          raised.emplace();
          wants_end = true;
        }
      }
      if (wants_end) {
        is_cancelled = true;
        cancel();
      }
    }
    return running.get();
  }();
  if (raised) throw std::move(*raised);
  return result;
}

// The options of one call, from the keyword arguments of koe/__init__.py.
SynthesisOptions ReadOptions(const py::dict& arguments);

// Takes the samples over without a copy.
py::array_t<float> ArrayOf(std::vector<float> samples);

void DefineValues(py::module_& module);
void DefineStream(py::module_& module);

}  // namespace koe::python

#endif  // KOE_PYTHON_BINDING_H_
