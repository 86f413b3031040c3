// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_FUNCTION_REF_H_
#define KOE_BASE_FUNCTION_REF_H_

#include <type_traits>

namespace koe {

// Non-owning reference to a callable; valid for the duration of the call it is passed to.
template <typename Signature>
class FunctionRef;
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& f)  // NOLINT(google-explicit-constructor)
      : object_(const_cast<void*>(static_cast<const void*>(&f))), call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, static_cast<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace koe

#endif  // KOE_BASE_FUNCTION_REF_H_
