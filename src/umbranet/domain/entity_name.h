// How text names entities and values, and when two names are one. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace umbranet {

// The form in which names are compared: words case-folded, without diacritics, possessives and
// punctuation, leading articles and possessive pronouns dropped, joined by single spaces ("My
// sister's" -> "sister", "The Café Zoé" -> "cafe zoe"). Everyday words for the same relation are
// one
// ("mom" -> "mother"). A name of symbols alone is kept as it is, case-folded. Empty only when
// `name` has nothing but white space. At most 256 bytes.
std::string NormalizeName(std::string_view name);

// True for a normalised name that says what somebody is to the speaker rather than who it is
// ("sister", "best friend", "dog"). Several entities may share such a name, so it never makes two
// of them one.
bool IsRelationName(std::string_view normalized);

}  // namespace umbranet
