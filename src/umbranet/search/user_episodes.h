// The episodes of one user in memory, counted and indexed: an inverted index for terms, and their
// vectors side by side for an exact search. Answers what EpisodicMemory::Find promises, without the
// store.
//
// A search among 10,000 episodes costs well under a millisecond, where an index in SQLite's file
// takes five to eight: it reads every candidate's row from a page cache that each commit empties.
// What it answers with is shared, not copied.
//
// Not synchronised: the owner lets one thread in at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/base/quantized_vector.h"
#include "umbranet/domain/episode.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

class UserEpisodes {
  class Searching;

 public:
  struct Document {
    std::int64_t episode_key = 0;  // The store's; unique.
    std::shared_ptr<const Episode> episode;
    std::uint32_t length = 0;
    std::string_view terms;  // As JoinTerms gives them.
  };

  struct Vector {
    std::int64_t episode_key = 0;
    std::int64_t space_key = 0;  // The store's number for an Embedder::space().
    QuantizedVector vector;
  };

  // In the order of their keys.
  void Add(const Document& document);
  // In place of the episode's former one. Of an episode that is not here it is passed over.
  void SetVector(const Vector& vector);
  // One that is not here is passed over. Its place is kept, so what removes many is better made
  // anew now and then.
  void Remove(std::int64_t episode_key);

  // A search that has been made by words and waits for its query's embedding.
  class Begun {
   public:
    Begun(Begun&&) noexcept;
    Begun& operator=(Begun&&) noexcept;
    ~Begun();

   private:
    friend class UserEpisodes;
    explicit Begun(std::unique_ptr<Searching> searching);

    std::unique_ptr<Searching> searching_;
  };

  // Whether the first two turns of every session are brought, whatever they say.
  enum class Beginnings : std::uint8_t { kMatching, kBrought };

  // `space_key` is that of the query's embedding; nothing: no vector is of its space. The best
  // `accompanied` matches bring their neighbours.
  [[nodiscard]] EpisodesFound Search(
      const EpisodeQuery& query, std::optional<std::int64_t> space_key,
      Beginnings beginnings = Beginnings::kMatching,
      std::size_t accompanied = EpisodicMemory::kNeighboursMin) const;

  // The same in two steps, between which episodes and vectors may be added. The query must outlive
  // what was begun; its own embedding is not looked at.
  [[nodiscard]] Begun Begin(const EpisodeQuery& query) const;
  // Nothing when the episodes were thrown away, removed or replaced since: to be begun anew.
  [[nodiscard]] std::optional<EpisodesFound> Finish(Begun begun,
                                                    const std::optional<Embedding>& embedding,
                                                    std::optional<std::int64_t> space_key) const;

  [[nodiscard]] std::size_t size() const { return documents_.size() - removed_; }

  // An estimate, some 10 % off.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Posting {
    std::uint32_t document = 0;
    std::uint32_t count = 0;
  };

  // Kept together, so that what is answered with holds on to both by one count.
  struct ReadEpisodeText {
    std::shared_ptr<const Episode> episode;
    EpisodeReading reading;
  };

  struct Stored {
    std::int64_t episode_key = 0;
    std::uint32_t session = 0;  // Index into sessions_.
    std::shared_ptr<const ReadEpisodeText> text;
    std::int64_t sequence = 0;  // Of the episode.
  };

  // What a search asks of every document, kept apart from the rest: following ten thousand
  // pointers, or reading past ten thousand of them, costs more than the search.
  struct Brief {
    Timestamp occurred_at{};
    std::uint32_t length = 0;  // In terms.
    Role role = Role::kUser;
    bool removed = false;
  };

  struct VectorPlace {
    std::int64_t space_key = 0;
    std::size_t offset = 0;       // Into values_.
    std::uint32_t dimension = 0;  // 0: it has none.
    float scale = 0;
  };

  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  // By role.
  using PostingLists = std::array<std::vector<Posting>, 2>;

  [[nodiscard]] const PostingLists* Find(std::string_view term) const;
  // Index of the document, or the number of documents.
  [[nodiscard]] std::size_t PlaceOf(std::int64_t episode_key) const;

  std::vector<Stored> documents_;
  std::vector<Brief> briefs_;         // Parallel to documents_.
  std::vector<VectorPlace> vectors_;  // Parallel to documents_.
  std::unordered_map<std::string, PostingLists, TextHash, std::equal_to<>> terms_;
  std::unordered_map<std::string, std::uint32_t> session_index_;  // By session id.
  std::vector<std::vector<std::uint32_t>> sessions_;              // Documents by sequence and key.
  std::vector<std::int8_t> values_;                               // All vectors' elements.
  std::array<std::uint64_t, 2> count_{};                          // Documents by role.
  std::array<std::uint64_t, 2> length_{};                         // Their terms.
  // Another one when what a search has begun with is not there any more.
  std::shared_ptr<const char> edition_ = std::make_shared<const char>();
  std::size_t removed_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace umbranet
