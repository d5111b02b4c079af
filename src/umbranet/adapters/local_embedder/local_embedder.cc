#include "umbranet/adapters/local_embedder/local_embedder.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <system_error>
#include <utility>

#include "umbranet/base/thread_urgency.h"

namespace umbranet {
namespace {

// A deadline may be one of a clock that a test turns by hand, so waits look at it now and then.
constexpr std::chrono::nanoseconds kLookAgain = Millis{20};
// No token is shorter than a byte, and hardly any longer than this: what stands behind it in a text
// is not read at all.
constexpr std::size_t kTokenBytesMax = 64;
// A server that is asked without a pause spends a twentieth of its time on passages.
constexpr std::chrono::seconds kGapWaitMax{2};
// Fewer passages than this are not worth a thread of their own.
constexpr std::size_t kTextsAPart = 4;
// Of the thread that reads the model while nobody waits for it: that takes half a second of a
// processor, which answers would be without.
constexpr int kNiceOfLoading = 10;
// So that threads whose batches take unlike times can share out what is left.
constexpr std::size_t kBatchesEach = 2;

Error OutOfTime() {
  return DeadlineExceeded("embedder: the texts are not embedded in time");
}

// The space that a model's vectors are in. How much of a text is read belongs to it.
std::string SpaceOf(const ModelDescription& description) {
  return description.name + "/" + std::to_string(description.tokens_max);
}

// The numbers of the texts from the shortest to the longest, so that neighbours pad one another
// little.
std::vector<std::size_t> ByLength(const std::vector<std::vector<TokenId>>& texts) {
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(texts[a].size(), a) < std::pair(texts[b].size(), b);
  });
  return order;
}

// Of texts in order of length, as many as go through the model together; at least one.
std::span<const std::size_t> FirstBatch(std::span<const std::size_t> order,
                                        const std::vector<std::vector<TokenId>>& texts,
                                        std::size_t tokens_max) {
  std::size_t count = 1;
  while (count < order.size() && (count + 1) * texts[order[count]].size() <= tokens_max) {
    ++count;
  }
  return order.first(count);
}

TokenBatch MakeBatch(std::span<const std::size_t> which,
                     const std::vector<std::vector<TokenId>>& texts) {
  TokenBatch batch;
  batch.texts = which.size();
  batch.length = texts[which.back()].size();
  batch.tokens.resize(batch.texts * batch.length, 0);
  batch.attention.resize(batch.tokens.size(), 0);
  for (std::size_t row = 0; row < which.size(); ++row) {
    const std::vector<TokenId>& tokens = texts[which[row]];
    const auto start = static_cast<std::ptrdiff_t>(row * batch.length);
    std::copy(tokens.begin(), tokens.end(), batch.tokens.begin() + start);
    std::fill_n(batch.attention.begin() + start, tokens.size(), 1);
  }
  return batch;
}

// One vector of a text from those of its `tokens`, of length 1.
Result<Embedding> Pool(std::span<const float> states, std::size_t tokens, std::size_t dimensions,
                       Pooling pooling) {
  Embedding vector(states.begin(), states.begin() + static_cast<std::ptrdiff_t>(dimensions));
  for (std::size_t at = 1; pooling == Pooling::kMean && at < tokens; ++at) {
    for (std::size_t i = 0; i < dimensions; ++i) {
      vector[i] += states[at * dimensions + i];
    }
  }
  double square = 0;
  for (const float value : vector) {
    square += static_cast<double>(value) * value;
  }
  if (!std::isfinite(square) || square <= 0) {
    return InvalidArgument("embedder: the model answers with no direction");
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(square));
  for (float& value : vector) {
    value *= scale;
  }
  return vector;
}

}  // namespace

Result<std::unique_ptr<LocalEmbedder>> LocalEmbedder::Open(Options options) {
  UMBRANET_ASSIGN_OR_RETURN(ModelFolder folder, ReadModelFolder(options.folder));
  return std::unique_ptr<LocalEmbedder>(new LocalEmbedder(std::move(options), std::move(folder)));
}

LocalEmbedder::LocalEmbedder(Options options, ModelFolder folder)
    : options_(std::move(options)),
      folder_(std::move(folder)),
      space_(SpaceOf(folder_.description)),
      passage_places_{std::max<std::size_t>(options_.threads, 1)},
      question_places_{std::max<std::size_t>(options_.threads, 1)} {}

LocalEmbedder::~LocalEmbedder() {
  std::jthread loader;
  {
    MutexLock lock(mutex_);
    loader = std::move(loader_);
  }
}

void LocalEmbedder::Load() {
  auto model = [this]() -> Result<std::unique_ptr<const Model>> {
    UMBRANET_ASSIGN_OR_RETURN(WordPieceTokenizer tokenizer,
                              WordPieceTokenizer::Load(folder_.vocabulary_file));
    UMBRANET_ASSIGN_OR_RETURN(auto session, OnnxSession::Open(folder_.library, folder_.model_file));
    return std::unique_ptr<const Model>(
        std::make_unique<Model>(std::move(tokenizer), std::move(session)));
  }();
  MutexLock lock(mutex_);
  loaded_ = true;
  if (model.ok()) {
    model_ = std::move(model).value();
  } else {
    // To the callers it is the same whatever is wrong with it: waiting does not help.
    load_outcome_ = InvalidArgument(std::move(model).error().message);
  }
  changed_.NotifyAll();
}

void LocalEmbedder::BeginLoading(Awaited awaited) {
  if (!std::exchange(loading_, true)) {
    loader_ = std::jthread([this, awaited] {
      if (awaited == Awaited::kNo) {
        WorkBehindAnswers(kNiceOfLoading);
      }
      Load();
    });
  }
}

bool LocalEmbedder::ReadyAtOnce() {
  MutexLock lock(mutex_);
  BeginLoading(Awaited::kNo);
  return loaded_;
}

Result<const LocalEmbedder::Model*> LocalEmbedder::LoadedModel(Deadline deadline) {
  MutexLock lock(mutex_);
  BeginLoading(Awaited::kYes);
  while (!loaded_) {
    if (deadline.Expired()) {
      return DeadlineExceeded("embedder: the model is still being read");
    }
    changed_.WaitFor(mutex_, std::min(deadline.Remaining(), kLookAgain));
  }
  UMBRANET_RETURN_IF_ERROR(Status(load_outcome_));
  return model_.get();
}

Status LocalEmbedder::Take(Places& places, Deadline deadline) {
  MutexLock lock(mutex_);
  while (places.free == 0 && !deadline.Expired()) {
    changed_.WaitFor(mutex_, std::min(deadline.Remaining(), kLookAgain));
  }
  if (deadline.Expired()) {
    return OutOfTime();
  }
  --places.free;
  return {};
}

void LocalEmbedder::GiveBack(Places& places) {
  MutexLock lock(mutex_);
  ++places.free;
  changed_.NotifyAll();
}

Result<HiddenStates> LocalEmbedder::RunModel(const Model& model, TokenBatch& batch, Places& places,
                                             Deadline deadline) {
  const bool passages = &places == &passage_places_;
  if (passages && options_.answers != nullptr) {
    options_.answers->WaitForGap(
        std::min<std::chrono::nanoseconds>(kGapWaitMax, deadline.Remaining()));
  }
  UMBRANET_RETURN_IF_ERROR(Take(places, deadline));
  const auto run = [&] { return model.session->Run(batch); };
  Result<HiddenStates> states = passages ? pace_.Run(run) : run();
  GiveBack(places);
  return states;
}

Status LocalEmbedder::EmbedBatch(const Model& model, std::span<const std::size_t> which,
                                 const std::vector<std::vector<TokenId>>& tokens, Places& places,
                                 Deadline deadline, std::vector<Embedding>& vectors) {
  TokenBatch batch = MakeBatch(which, tokens);
  UMBRANET_ASSIGN_OR_RETURN(const HiddenStates states, RunModel(model, batch, places, deadline));
  const std::size_t row_size = batch.length * states.dimensions;
  for (std::size_t row = 0; row < which.size(); ++row) {
    UMBRANET_ASSIGN_OR_RETURN(
        vectors[which[row]],
        Pool(std::span(states.values).subspan(row * row_size, row_size), tokens[which[row]].size(),
             states.dimensions, folder_.description.pooling));
  }
  return {};
}

Result<std::vector<Embedding>> LocalEmbedder::Embed(std::span<const std::string_view> texts,
                                                    std::string_view prefix, Places& places,
                                                    std::size_t threads, Deadline deadline) {
  std::vector<Embedding> vectors(texts.size());
  if (texts.empty()) {
    return vectors;
  }
  // From here and not from a helper: the thread that reads the model is as urgent as its maker, and
  // whoever stops the process waits for it.
  UMBRANET_ASSIGN_OR_RETURN(const Model* model, LoadedModel(deadline));
  const std::size_t tokens_max = folder_.description.tokens_max;
  std::vector<std::vector<TokenId>> tokens;
  tokens.reserve(texts.size());
  std::size_t tokens_in_all = 0;
  for (const std::string_view text : texts) {
    std::string whole(prefix);
    whole += text.substr(0, tokens_max * kTokenBytesMax);
    tokens.push_back(model->tokenizer.Encode(whole, tokens_max));
    tokens_in_all += tokens.back().size();
  }
  const std::vector<std::size_t> order = ByLength(tokens);
  const std::size_t batch_max =
      threads == 1
          ? options_.batch_tokens_max
          : std::min(options_.batch_tokens_max, tokens_in_all / (kBatchesEach * threads) + 1);
  std::vector<std::span<const std::size_t>> batches;
  for (std::span<const std::size_t> rest(order); !rest.empty();) {
    batches.push_back(FirstBatch(rest, tokens, batch_max));
    rest = rest.subspan(batches.back().size());
  }
  // The longest first, so that all threads end at about the same time.
  std::atomic<std::size_t> taken = 0;
  std::vector<Status> outcomes(threads);
  const auto embed = [&](std::size_t thread) {
    for (std::size_t next = taken++; next < batches.size() && outcomes[thread].ok();
         next = taken++) {
      outcomes[thread] =
          EmbedBatch(*model, batches[batches.size() - 1 - next], tokens, places, deadline, vectors);
    }
  };
  if (&places == &passage_places_) {
    EmbedBesides(threads, embed);
  } else {
    embed(0);
  }
  for (Status& outcome : outcomes) {
    UMBRANET_RETURN_IF_ERROR(std::move(outcome));
  }
  return vectors;
}

void LocalEmbedder::EmbedBesides(std::size_t threads,
                                 const std::function<void(std::size_t)>& embed) {
  std::vector<std::jthread> helpers;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    try {
      helpers.emplace_back([this, &embed, thread] {
        pace_.GiveWay();
        embed(thread);
      });
    } catch (const std::system_error&) {  // No thread to be had.
      embed(thread);
    }
  }
}

Result<std::vector<Embedding>> LocalEmbedder::EmbedPassages(std::span<const std::string_view> texts,
                                                            Deadline deadline) {
  const std::size_t threads = std::clamp<std::size_t>(texts.size() / kTextsAPart, 1,
                                                      std::max<std::size_t>(options_.threads, 1));
  return Embed(texts, folder_.description.passage_prefix, passage_places_, threads, deadline);
}

Result<Embedding> LocalEmbedder::EmbedQuestion(std::string_view question, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Embedding> vectors,
                            Embed(std::span(&question, 1), folder_.description.question_prefix,
                                  question_places_, 1, deadline));
  return std::move(vectors.front());
}

}  // namespace umbranet
