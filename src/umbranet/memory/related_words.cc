#include "umbranet/memory/related_words.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

// One group between semicolons. A word may stand in several.
constexpr std::string_view kGroups =
    "job work career occupation profession employment employer;"
    "live reside home house apartment flat;move relocate;buy purchase get;movie film cinema;"
    "book read novel author;music song band album concert;food eat meal dish cook recipe cuisine;"
    "drink coffee tea beverage;vacation holiday trip travel journey visit;car vehicle drive;"
    "kid child son daughter;parent mother father mom dad;mother mom mum;father dad;"
    "sibling brother sister;spouse wife husband partner marry marriage wedding;"
    "marry wedding engage;pet dog cat puppy kitten;dog puppy;cat kitten;"
    "doctor physician hospital clinic medical;sick ill illness disease health;allergy allergic;"
    "exercise workout gym fitness run yoga;sport game play team;hobby interest activity pastime;"
    "paint draw art artwork;school college university study degree;teacher professor instructor;"
    "learn study course class lesson;friend buddy pal;meet encounter;happy glad joy excite;"
    "sad upset unhappy;stress anxiety worry;afraid fear scare;"
    "money cost price pay expense budget;salary income earn wage;begin start;"
    "finish complete end done;plan intend goal;color colour;picture photo photograph image;"
    "phone call mobile;email message mail;computer laptop pc;city town place;country nation;"
    "birthday born age;name call;favorite prefer favourite;like enjoy love;dislike hate;"
    "gift present;deadline due date;meeting appointment schedule;fix repair;big large huge;"
    "small little tiny;quick fast;problem issue trouble challenge difficulty;help support assist;"
    "volunteer charity donate;church religion faith pray;win award prize;lose loss;"
    "die death pass;house home property;garden plant flower;beach ocean sea;mountain hike trail;"
    "camp tent outdoors;restaurant cafe dinner lunch;baby pregnant birth;"
    "company business firm startup;boss manager supervisor;colleague coworker;hire recruit;"
    "resign quit leave;instrument guitar piano violin;show series tv television;"
    "password code pin;diet vegan vegetarian food eat;language speak;tall height;"
    "weigh weight heavy;sleep bed night;funny joke laugh;idea thought suggestion advice;"
    "important significant;test exam quiz;grade score mark;software app application program;"
    "website site page;error bug fault;team group;photo camera;story tale novel;"
    "flat apartment rent;bike bicycle cycle;plane flight fly airport;train railway;"
    "bag suitcase luggage;shop store buy;clothes shirt dress wear;shoe sneaker boot;"
    "weekend saturday sunday;childhood kid young grow;grandmother grandma;grandfather grandpa;"
    "aunt uncle cousin relative family";

using Related = std::unordered_map<std::string, std::vector<std::string>>;

Related ReadGroups() {
  Related related;
  std::string_view groups = kGroups;
  while (!groups.empty()) {
    const std::size_t end = std::min(groups.find(';'), groups.size());
    const std::vector<std::string> stems = AnalyzeName(groups.substr(0, end));
    for (const std::string& stem : stems) {
      std::vector<std::string>& others = related[stem];
      for (const std::string& other : stems) {
        if (other != stem && std::find(others.begin(), others.end(), other) == others.end()) {
          others.push_back(other);
        }
      }
    }
    groups.remove_prefix(std::min(end + 1, groups.size()));
  }
  return related;
}

}  // namespace

std::span<const std::string> RelatedTerms(std::string_view stem) {
  static const Related related = ReadGroups();
  const auto found = related.find(std::string(stem));
  return found == related.end() ? std::span<const std::string>() : found->second;
}

}  // namespace umbranet
