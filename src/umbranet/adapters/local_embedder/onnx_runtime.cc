#include "umbranet/adapters/local_embedder/onnx_runtime.h"

#include <algorithm>
#include <array>
#include <utility>

#include <dlfcn.h>

namespace umbranet {
namespace {

// The library's own objects, of which only pointers are ever seen.
struct OrtStatus;
struct OrtEnv;
struct OrtSessionOptions;
struct OrtSession;
struct OrtMemoryInfo;
struct OrtValue;
struct OrtShape;
struct OrtAllocator;
struct OrtRunOptions;

using Function = void (*)();

struct OrtApiBase {
  const Function* (*get_api)(std::uint32_t version);
  const char* (*version)();
};

// The oldest version whose table has every place below, as of release 1.11.
constexpr std::uint32_t kApiVersion = 11;
constexpr int kLogErrorsOnly = 3;
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;
constexpr int kElementFloat = 1;
constexpr int kElementInt64 = 7;

// A place in the table and what stands there.
template <std::size_t kAt, typename Signature>
struct Place;

template <std::size_t kAt, typename Return, typename... Arguments>
struct Place<kAt, Return(Arguments...)> {
  Return operator()(const Function* table, Arguments... arguments) const {
    return reinterpret_cast<Return (*)(Arguments...)>(table[kAt])(arguments...);
  }
};

constexpr Place<2, const char*(const OrtStatus*)> kGetErrorMessage;
constexpr Place<3, OrtStatus*(int, const char*, OrtEnv**)> kCreateEnv;
constexpr Place<7, OrtStatus*(const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession**)>
    kCreateSession;
constexpr Place<9, OrtStatus*(OrtSession*, const OrtRunOptions*, const char* const*,
                              const OrtValue* const*, std::size_t, const char* const*, std::size_t,
                              OrtValue**)>
    kRun;
constexpr Place<10, OrtStatus*(OrtSessionOptions**)> kCreateSessionOptions;
constexpr Place<17, OrtStatus*(OrtSessionOptions*)> kDisableMemPattern;
constexpr Place<19, OrtStatus*(OrtSessionOptions*)> kDisableCpuMemArena;
constexpr Place<24, OrtStatus*(OrtSessionOptions*, int)> kSetIntraOpNumThreads;
constexpr Place<25, OrtStatus*(OrtSessionOptions*, int)> kSetInterOpNumThreads;
constexpr Place<30, OrtStatus*(const OrtSession*, std::size_t*)> kSessionGetInputCount;
constexpr Place<36, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)>
    kSessionGetInputName;
constexpr Place<37, OrtStatus*(const OrtSession*, std::size_t, OrtAllocator*, char**)>
    kSessionGetOutputName;
constexpr Place<49, OrtStatus*(const OrtMemoryInfo*, void*, std::size_t, const std::int64_t*,
                               std::size_t, int, OrtValue**)>
    kCreateTensorWithData;
constexpr Place<51, OrtStatus*(OrtValue*, void**)> kGetTensorMutableData;
constexpr Place<60, OrtStatus*(const OrtShape*, int*)> kGetTensorElementType;
constexpr Place<61, OrtStatus*(const OrtShape*, std::size_t*)> kGetDimensionsCount;
constexpr Place<62, OrtStatus*(const OrtShape*, std::int64_t*, std::size_t)> kGetDimensions;
constexpr Place<65, OrtStatus*(const OrtValue*, OrtShape**)> kGetTensorTypeAndShape;
constexpr Place<69, OrtStatus*(int, int, OrtMemoryInfo**)> kCreateCpuMemoryInfo;
constexpr Place<76, OrtStatus*(OrtAllocator*, void*)> kAllocatorFree;
constexpr Place<78, OrtStatus*(OrtAllocator**)> kGetAllocatorWithDefaultOptions;
constexpr Place<92, void(OrtEnv*)> kReleaseEnv;
constexpr Place<93, void(OrtStatus*)> kReleaseStatus;
constexpr Place<94, void(OrtMemoryInfo*)> kReleaseMemoryInfo;
constexpr Place<95, void(OrtSession*)> kReleaseSession;
constexpr Place<96, void(OrtValue*)> kReleaseValue;
constexpr Place<99, void(OrtShape*)> kReleaseShape;
constexpr Place<100, void(OrtSessionOptions*)> kReleaseSessionOptions;

// A pointer that the library made and takes back.
template <typename Object, typename Release>
class Owned {
 public:
  explicit Owned(const Function* api) : api_(api) {}

  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  ~Owned() {
    if (object_ != nullptr) {
      Release{}(api_, object_);
    }
  }

  [[nodiscard]] Object* get() const { return object_; }

  Object** out() { return &object_; }

 private:
  const Function* api_;
  Object* object_ = nullptr;
};

template <typename Object, const auto& kRelease>
struct ReleaseWith {
  void operator()(const Function* api, Object* object) const { kRelease(api, object); }
};

using OwnedEnv = Owned<OrtEnv, ReleaseWith<OrtEnv, kReleaseEnv>>;
using OwnedOptions =
    Owned<OrtSessionOptions, ReleaseWith<OrtSessionOptions, kReleaseSessionOptions>>;
using OwnedSession = Owned<OrtSession, ReleaseWith<OrtSession, kReleaseSession>>;
using OwnedMemoryInfo = Owned<OrtMemoryInfo, ReleaseWith<OrtMemoryInfo, kReleaseMemoryInfo>>;
using OwnedValue = Owned<OrtValue, ReleaseWith<OrtValue, kReleaseValue>>;
using OwnedShape = Owned<OrtShape, ReleaseWith<OrtShape, kReleaseShape>>;

// The library never throws; what it has to say comes as a status.
Status Translate(const Function* api, OrtStatus* status) {
  if (status == nullptr) {
    return {};
  }
  std::string message = "embedder: onnx runtime: ";
  message += kGetErrorMessage(api, status);
  kReleaseStatus(api, status);
  return InvalidArgument(std::move(message));
}

// Loaded libraries stay: this one keeps state of its own that does not survive an unloading.
Result<const Function*> LoadApi(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    return NotFound("embedder: ONNX Runtime cannot be loaded: " +
                    std::string(why == nullptr ? library : why));
  }
  auto* get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  const OrtApiBase* base = get_base == nullptr ? nullptr : get_base();
  const Function* api = base == nullptr ? nullptr : base->get_api(kApiVersion);
  if (api == nullptr) {
    return InvalidArgument("embedder: " + library + " is no ONNX Runtime, or one before 1.11");
  }
  return api;
}

}  // namespace

struct OnnxSession::State {
  explicit State(const Function* table)
      : api(table), env(table), options(table), session(table), memory(table) {}

  Status Open(const std::string& model);
  Status ReadNames();
  Status CheckInputs() const;
  // A tensor over `values`, which it does not copy.
  Status Wrap(std::vector<std::int64_t>& values, const TokenBatch& batch, OwnedValue& tensor) const;
  Result<HiddenStates> ReadOutput(OrtValue* output, const TokenBatch& batch) const;

  const Function* api;
  OwnedEnv env;
  OwnedOptions options;
  OwnedSession session;
  OwnedMemoryInfo memory;
  std::vector<std::string> inputs;
  std::string output;
};

Status OnnxSession::State::Open(const std::string& model) {
  const auto check = [this](OrtStatus* status) { return Translate(api, status); };
  UMBRANET_RETURN_IF_ERROR(check(kCreateEnv(api, kLogErrorsOnly, "umbranet", env.out())));
  UMBRANET_RETURN_IF_ERROR(check(kCreateSessionOptions(api, options.out())));
  UMBRANET_RETURN_IF_ERROR(check(kSetIntraOpNumThreads(api, options.get(), 1)));
  UMBRANET_RETURN_IF_ERROR(check(kSetInterOpNumThreads(api, options.get(), 1)));
  // Both keep memory for the largest batch ever seen, and gain nothing measurable here.
  UMBRANET_RETURN_IF_ERROR(check(kDisableMemPattern(api, options.get())));
  UMBRANET_RETURN_IF_ERROR(check(kDisableCpuMemArena(api, options.get())));
  UMBRANET_RETURN_IF_ERROR(
      check(kCreateSession(api, env.get(), model.c_str(), options.get(), session.out())));
  UMBRANET_RETURN_IF_ERROR(
      check(kCreateCpuMemoryInfo(api, kDeviceAllocator, kDefaultMemory, memory.out())));
  UMBRANET_RETURN_IF_ERROR(ReadNames());
  return CheckInputs();
}

Status OnnxSession::State::ReadNames() {
  const auto check = [this](OrtStatus* status) { return Translate(api, status); };
  OrtAllocator* allocator = nullptr;  // The library's own; never released.
  UMBRANET_RETURN_IF_ERROR(check(kGetAllocatorWithDefaultOptions(api, &allocator)));
  const auto take = [&](char* name, std::string& into) {
    into = name;
    return check(kAllocatorFree(api, allocator, name));
  };
  std::size_t count = 0;
  UMBRANET_RETURN_IF_ERROR(check(kSessionGetInputCount(api, session.get(), &count)));
  inputs.resize(count);
  char* name = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    UMBRANET_RETURN_IF_ERROR(check(kSessionGetInputName(api, session.get(), i, allocator, &name)));
    UMBRANET_RETURN_IF_ERROR(take(name, inputs[i]));
  }
  UMBRANET_RETURN_IF_ERROR(check(kSessionGetOutputName(api, session.get(), 0, allocator, &name)));
  return take(name, output);
}

Status OnnxSession::State::CheckInputs() const {
  const auto has = [this](std::string_view name) {
    return std::find(inputs.begin(), inputs.end(), name) != inputs.end();
  };
  const std::size_t known = std::size_t{has("input_ids")} + std::size_t{has("attention_mask")} +
                            std::size_t{has("token_type_ids")};
  if (!has("input_ids") || !has("attention_mask") || known != inputs.size()) {
    return InvalidArgument(
        "embedder: the model does not take input_ids and attention_mask as BERT's do");
  }
  return {};
}

Status OnnxSession::State::Wrap(std::vector<std::int64_t>& values, const TokenBatch& batch,
                                OwnedValue& tensor) const {
  const std::array shape{static_cast<std::int64_t>(batch.texts),
                         static_cast<std::int64_t>(batch.length)};
  return Translate(api, kCreateTensorWithData(api, memory.get(), values.data(),
                                              values.size() * sizeof(std::int64_t), shape.data(),
                                              shape.size(), kElementInt64, tensor.out()));
}

Result<HiddenStates> OnnxSession::State::ReadOutput(OrtValue* value,
                                                    const TokenBatch& batch) const {
  const auto check = [this](OrtStatus* status) { return Translate(api, status); };
  OwnedShape shape(api);
  int element = 0;
  std::size_t count = 0;
  UMBRANET_RETURN_IF_ERROR(check(kGetTensorTypeAndShape(api, value, shape.out())));
  UMBRANET_RETURN_IF_ERROR(check(kGetTensorElementType(api, shape.get(), &element)));
  UMBRANET_RETURN_IF_ERROR(check(kGetDimensionsCount(api, shape.get(), &count)));
  std::vector<std::int64_t> dimensions(count);
  UMBRANET_RETURN_IF_ERROR(check(kGetDimensions(api, shape.get(), dimensions.data(), count)));
  if (element != kElementFloat || count != 3 ||
      dimensions[0] != static_cast<std::int64_t>(batch.texts) ||
      dimensions[1] != static_cast<std::int64_t>(batch.length) || dimensions[2] < 1) {
    return InvalidArgument("embedder: the model's answer is no vector for every token");
  }
  void* data = nullptr;
  UMBRANET_RETURN_IF_ERROR(check(kGetTensorMutableData(api, value, &data)));
  const auto* floats = static_cast<const float*>(data);
  const auto width = static_cast<std::size_t>(dimensions[2]);
  return HiddenStates{width, {floats, floats + batch.texts * batch.length * width}};
}

OnnxSession::OnnxSession(std::unique_ptr<State> state) : state_(std::move(state)) {}

OnnxSession::~OnnxSession() = default;

Result<std::unique_ptr<OnnxSession>> OnnxSession::Open(const std::string& library,
                                                       const std::string& model) {
  UMBRANET_ASSIGN_OR_RETURN(const Function* api, LoadApi(library));
  auto state = std::make_unique<State>(api);
  UMBRANET_RETURN_IF_ERROR(state->Open(model));
  return std::unique_ptr<OnnxSession>(new OnnxSession(std::move(state)));
}

Result<HiddenStates> OnnxSession::Run(TokenBatch& batch) const {
  const Function* api = state_->api;
  std::vector<std::int64_t> types(batch.tokens.size(), 0);  // All of one sentence.
  OwnedValue tokens(api);
  OwnedValue attention(api);
  OwnedValue kinds(api);
  OwnedValue output(api);
  UMBRANET_RETURN_IF_ERROR(state_->Wrap(batch.tokens, batch, tokens));
  UMBRANET_RETURN_IF_ERROR(state_->Wrap(batch.attention, batch, attention));
  UMBRANET_RETURN_IF_ERROR(state_->Wrap(types, batch, kinds));
  std::vector<const char*> names;
  std::vector<const OrtValue*> values;
  for (const std::string& name : state_->inputs) {
    names.push_back(name.c_str());
    values.push_back(name == "input_ids"        ? tokens.get()
                     : name == "attention_mask" ? attention.get()
                                                : kinds.get());
  }
  const char* wanted = state_->output.c_str();
  UMBRANET_RETURN_IF_ERROR(
      Translate(api, kRun(api, state_->session.get(), nullptr, names.data(), values.data(),
                          names.size(), &wanted, 1, output.out())));
  return state_->ReadOutput(output.get(), batch);
}

}  // namespace umbranet
